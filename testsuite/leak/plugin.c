/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - a shared object that keeps a pointer in each kind of its data
 *
 * Built for tls.c, which loads it.
 */
#include <stdint.h>
#include <stdlib.h>

void plugin_keep(void);
void plugin_keep_tls(void);

void *plugin_data = &plugin_data;
void *plugin_bss[2000];
__thread void *plugin_tls;
__thread uint64_t plugin_tls_data = 1;

void
plugin_keep(void)
{
	plugin_data = malloc(33);
	plugin_bss[0] = malloc(34);
	plugin_bss[1999] = malloc(35);
}

void
plugin_keep_tls(void)
{
	plugin_tls = malloc(36);
	plugin_tls_data = (uint64_t)(uintptr_t)malloc(37);
}
