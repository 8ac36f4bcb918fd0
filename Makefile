# SPDX-License-Identifier: MIT
#
# make            build/libumem.so.1, build/libumem.a, build/libumdb.so
# make check      build and run every test (installs what is missing)
# make demo       a leaking server, its core, and GDB on it
#
# Switches: CC=clang  WERROR=1  V=1  DEBUG=1  SAN=address,undefined  SAN=thread
# Everything built lies under build/ (or build-<san>/, build-debug/).

ifeq ($(origin CC),default)
CC := gcc
endif
comma := ,
OBJCOPY ?= objcopy
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(DEBUG),-debug)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)')

try = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null \
	&& echo '$(1)')
warnings := -Wall -Wextra -Wshadow -Wundef -Wvla -Wformat=2 -Wcast-qual \
	-Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes
san := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)
common := -std=gnu11 -D_GNU_SOURCE -g $(if $(DEBUG),-O0 -DUMEM_DEBUG_BUILD,-O2) \
	$(warnings) $(if $(WERROR),-Werror) -pthread -MMD -MP $(san)
nobuiltin := $(foreach f,malloc calloc realloc free,-fno-builtin-$(f))
# A pointer to a buffer that is left in a vector register hides that it leaked.
alloc_flags := $(common) -Iliballoc -fPIC -fvisibility=hidden $(nobuiltin) \
	-ftls-model=initial-exec -fno-plt $(call try,-fno-semantic-interposition) \
	$(call try,-fcf-protection=none) $(call try,-fno-tree-slp-vectorize)
gdbext_flags := $(common) -Igdbext -Iliballoc -DUMEM_LAYOUT_REMOTE -fPIC -fvisibility=hidden
zdefs := $(if $(SAN),,-Wl$(comma)-z$(comma)defs)
harden := -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--hash-style=gnu
check_libs = $(shell pkg-config --libs check 2>/dev/null || \
	echo -lcheck_pic -lsubunit -lrt -lm)

objects = $(patsubst %,$(BUILD)/$(1)/%.o,$(basename $(notdir $(2))))
alloc_src := $(wildcard liballoc/*.c liballoc/*.S)
gdbext_src := $(wildcard gdbext/*.c)
# The suites, and so the test files, are those that suites.h lists.
suites = $(shell sed -n '/define $(1)/,/^$$/s,.*X(\([a-z0-9_]*\)).*,\1,p' \
	testsuite/suites.h)
alloc_tests := $(patsubst %,testsuite/test_%.c,$(call suites,ALLOC_SUITES)) \
	testsuite/util.c testsuite/main.c
gdbext_tests := $(patsubst %,testsuite/test_%.c,$(call suites,GDBEXT_SUITES)) \
	$(filter-out testsuite/test_%,$(wildcard testsuite/*.c))

alloc_obj := $(call objects,liballoc,$(alloc_src))
nopreload_obj := $(call objects,nopreload,$(alloc_src))
gdbext_obj := $(call objects,gdbext,$(gdbext_src) profile_page.c)
check_alloc_obj := $(call objects,suite_alloc,$(alloc_tests)) $(nopreload_obj)
check_gdbext_obj := $(call objects,suite_gdbext,$(gdbext_tests)) $(gdbext_obj)

libs := $(BUILD)/libumem.so.1 $(BUILD)/libumem.so $(BUILD)/libumem.a \
	$(BUILD)/libumdb.so

.PHONY: all check run-check stress demo deps lint bench bench-count \
	bench-leaks programs fuzz realcores tests install uninstall clean
.DELETE_ON_ERROR:
all: $(libs)

$(BUILD)/libumem.so.1: $(alloc_obj) liballoc/libumem.map
	$(call say,LINK,$@)
	$(Q)$(CC) $(common) -shared -o $@ $(alloc_obj) $(zdefs) $(harden) \
	    -Wl,-soname,libumem.so.1 \
	    -Wl,--version-script=liballoc/libumem.map $(LDFLAGS)

$(BUILD)/libumem.so: $(BUILD)/libumem.so.1
	$(Q)ln -sf libumem.so.1 $@

# In a program that is linked with it, its data stands together: init.c.
$(BUILD)/libumem.a: $(alloc_obj)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(alloc_obj)
	$(Q)$(OBJCOPY) --rename-section .bss=umem_bss $@

$(BUILD)/libumdb.so: $(gdbext_obj) $(wildcard gdbext/umdb.map)
	$(call say,LINK,$@)
	$(Q)$(CC) $(common) -shared -o $@ $(gdbext_obj) $(zdefs) $(harden) \
	    -Wl,-Bsymbolic -Wl,--version-script=gdbext/umdb.map $(LDFLAGS)

$(BUILD)/check_alloc: $(check_alloc_obj)
$(BUILD)/check_gdbext: $(check_gdbext_obj)
$(BUILD)/check_alloc $(BUILD)/check_gdbext:
	$(call say,LINK,$@)
	$(Q)$(CC) $(common) -o $@ $^ $(LDFLAGS) $(check_libs)

# compile,object directory,source directory,flags: the rules for one half
define compile
$(BUILD)/$(1)/%.o: $(2)/%.c | $(BUILD)/$(1)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $(3) $$(CFLAGS) -c -o $$@ $$<
$(BUILD)/$(1)/%.o: $(2)/%.S | $(BUILD)/$(1)
	$$(call say,AS,$$@)
	$$(Q)$$(CC) $(3) $$(CFLAGS) -c -o $$@ $$<
$(BUILD)/$(1):
	$$(Q)mkdir -p $$@
endef
$(eval $(call compile,liballoc,liballoc,$$(alloc_flags)))
$(eval $(call compile,nopreload,liballoc,$$(alloc_flags) -DUMEM_NO_PRELOAD))
$(eval $(call compile,gdbext,gdbext,$$(gdbext_flags)))
$(eval $(call compile,suite_alloc,testsuite,$$(common) -Iliballoc \
	-DUMEM_NO_PRELOAD -DSUITES=ALLOC_SUITES))
$(eval $(call compile,suite_gdbext,testsuite,$$(common) -Igdbext -Iliballoc \
	-DUMEM_LAYOUT_REMOTE -DSUITES=GDBEXT_SUITES))

# The page that profiles are shown in, as a string.
$(BUILD)/gdbext/profile_page.c: gdbext/profile.html | $(BUILD)/gdbext
	$(call say,PAGE,$@)
	$(Q){ echo '#include "profile_impl.h"'; echo 'const char profile_page[] ='; \
	    sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $<; echo ';'; } >$@
$(BUILD)/gdbext/profile_page.o: $(BUILD)/gdbext/profile_page.c
	$(call say,CC,$@)
	$(Q)$(CC) $(gdbext_flags) $(CFLAGS) -c -o $@ $<

tests: $(BUILD)/check_alloc $(BUILD)/check_gdbext

deps:
	$(Q).ci/deps

check demo bench bench-count bench-leaks:
	$(Q).ci/deps --quiet
	$(Q)+$(MAKE) --no-print-directory run-$@

run-check: all tests
	$(Q)BUILD=$(BUILD) SAN=$(SAN) CC="$(CC)" testsuite/check.sh

run-demo: all
	$(Q)BUILD=$(BUILD) CC="$(CC)" examples/demo.sh

run-bench run-bench-count: all
	$(Q)BUILD=$(BUILD) CC="$(CC)" python3 testsuite/bench/bench.py \
	    $(if $(findstring count,$@),--count) $(BENCH)

run-bench-leaks: all
	$(Q)BUILD=$(BUILD) CC="$(CC)" python3 testsuite/bench/leaks.py $(LEAKS)

programs stress fuzz realcores: all tests
	$(Q)BUILD=$(BUILD) CC="$(CC)" testsuite/$@.sh

lint:
	$(Q).ci/lint

include .ci/install.mk

clean:
	rm -rf build build-*

-include $(wildcard $(BUILD)/*/*.d)
