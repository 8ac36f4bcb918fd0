/* SPDX-License-Identifier: MIT */
/*
 * bigtls.c - large TLS with a strict alignment, of a library that is loaded
 * when the threads are there already: each gets it in a buffer, to whose
 * inside alone the loader points
 *
 * with: plugin_tls
 */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

#include "truth.h"

static sem_t ready, loaded;
static pthread_mutex_t forever = PTHREAD_MUTEX_INITIALIZER;
static void (*keep)(void);

static void *
thread(void *arg)
{
	sem_wait(&loaded);
	keep();
	sem_post(&ready);
	pthread_mutex_lock(&forever);
	return arg;
}

int
main(void)
{
	pthread_t t;
	void *so;
	unsigned i;

	sem_init(&ready, 0, 0);
	sem_init(&loaded, 0, 0);
	pthread_mutex_lock(&forever);
	for (i = 0; i < 3; i++)
		pthread_create(&t, NULL, thread, NULL);
	so = dlopen(getenv("PLUGIN"), RTLD_NOW);
	if (so == NULL)
		exit(2);
	keep = (void (*)(void))(uintptr_t)dlsym(so, "plugin_keep");
	for (i = 0; i < 3; i++)
		sem_post(&loaded);
	for (i = 0; i < 3; i++)
		sem_wait(&ready);
	keep();
	usleep(50000); /* until they wait for the mutex */
	truth_end();
}
