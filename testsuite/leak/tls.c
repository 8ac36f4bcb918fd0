/* SPDX-License-Identifier: MIT */
/*
 * tls.c - pointers in thread-local storage, in data of loaded objects, and
 * in values of pthread keys
 *
 * with: plugin
 */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

#include "truth.h"

__thread void *in_tls;
__thread uint64_t in_tls_data = 1;
static pthread_key_t key[40];
static pthread_mutex_t forever = PTHREAD_MUTEX_INITIALIZER;
static sem_t ready;
static void *plugin;
static void (*plugin_keep_tls)(void);

STEP void
keep(void)
{
	unsigned i;

	in_tls = malloc(40);
	in_tls_data = (uint64_t)(uintptr_t)malloc(41);
	for (i = 0; i < 40; i++)
		pthread_setspecific(key[i], malloc(42));
	plugin_keep_tls();
}

static void *
thread(void *arg)
{
	keep();
	sem_post(&ready);
	pthread_mutex_lock(&forever);
	return arg;
}

/* The thread's TLS goes with it, that of the plugin too. */
static void *
short_thread(void *arg)
{
	in_tls = malloc(43);
	truth_lost(in_tls, DEFINITE);
	plugin_keep_tls();
	truth_lost(*(void **)dlsym(plugin, "plugin_tls"), DEFINITE);
	truth_lost(*(void **)dlsym(plugin, "plugin_tls_data"), DEFINITE);
	return arg;
}

STEP void
load(void)
{
	char path[4096];
	const char *dir = getenv("PLUGIN");

	snprintf(path, sizeof(path), "%s", dir != NULL ? dir : "./plugin.so");
	plugin = dlopen(path, RTLD_NOW);
	if (plugin == NULL)
		exit(2);
	((void (*)(void))(uintptr_t)dlsym(plugin, "plugin_keep"))();
	plugin_keep_tls =
	    (void (*)(void))(uintptr_t)dlsym(plugin, "plugin_keep_tls");
}

int
main(void)
{
	pthread_t t[3];
	unsigned i;

	sem_init(&ready, 0, 0);
	pthread_mutex_lock(&forever);
	for (i = 0; i < 40; i++)
		pthread_key_create(&key[i], NULL);
	load();
	keep();
	pthread_create(&t[0], NULL, short_thread, NULL);
	pthread_join(t[0], NULL);
	for (i = 1; i < 3; i++) {
		pthread_create(&t[i], NULL, thread, NULL);
		sem_wait(&ready);
	}
	/* the first one's stack serves again, the last one's does not */
	pthread_create(&t[0], NULL, short_thread, NULL);
	pthread_join(t[0], NULL);
	truth_end();
}
