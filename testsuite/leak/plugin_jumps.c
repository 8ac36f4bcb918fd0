/* SPDX-License-Identifier: MIT */
/*
 * plugin_jumps.c - a shared object that calls setjmp(3)
 *
 * Built for farjumps.c, which loads it.
 */
#include "set.h"
