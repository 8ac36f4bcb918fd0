/* SPDX-License-Identifier: MIT */
/*
 * plugin_tls.c - a shared object with large TLS; bigtls.c loads it
 */
#include <stdlib.h>

void plugin_keep(void);

__thread char before[100000] = {1};
__thread void *aligned __attribute__((aligned(1024)));
__thread void *many[5000];

void
plugin_keep(void)
{
	aligned = calloc(1, 40);
	many[0] = calloc(1, 41);
	many[4999] = calloc(1, 42);
}
