# SPDX-License-Identifier: MIT
#
# make install, make uninstall: PREFIX (/usr/local), LIBDIR and so on, DESTDIR

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
GDBDIR ?= $(LIBDIR)/umem-gdb
# GDB loads the commands by itself with the library, where it trusts the place.
AUTOLOAD ?= $(if $(filter /usr /usr/local,$(PREFIX)),/usr/share/gdb/auto-load)

install: all
	install -d $(addprefix $(DESTDIR),$(LIBDIR) $(INCLUDEDIR)/sys $(GDBDIR) \
	    $(MANDIR)/man1 $(MANDIR)/man3)
	install -m 644 $(BUILD)/libumem.so.1 $(BUILD)/libumem.a $(DESTDIR)$(LIBDIR)
	ln -sf libumem.so.1 $(DESTDIR)$(LIBDIR)/libumem.so
	install -m 644 liballoc/umem.h $(DESTDIR)$(INCLUDEDIR)
	install -m 644 liballoc/vmem.h $(DESTDIR)$(INCLUDEDIR)/sys
	install -m 644 $(BUILD)/libumdb.so $(wildcard python/*.py) $(DESTDIR)$(GDBDIR)
	install -m 644 $(wildcard doc/*.1) $(DESTDIR)$(MANDIR)/man1
	install -m 644 $(wildcard doc/*.3) $(DESTDIR)$(MANDIR)/man3
	$(if $(AUTOLOAD),install -d $(DESTDIR)$(AUTOLOAD)$(LIBDIR) && echo \
	    'gdb.execute("source $(GDBDIR)/umem_gdb.py")' \
	    >$(DESTDIR)$(AUTOLOAD)$(LIBDIR)/libumem.so.1-gdb.py)

uninstall:
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/libumem.,so so.1 a)
	rm -f $(DESTDIR)$(INCLUDEDIR)/umem.h $(DESTDIR)$(INCLUDEDIR)/sys/vmem.h
	rm -f $(patsubst doc/%,$(DESTDIR)$(MANDIR)/man1/%,$(wildcard doc/*.1))
	rm -f $(patsubst doc/%,$(DESTDIR)$(MANDIR)/man3/%,$(wildcard doc/*.3))
	rm -rf $(DESTDIR)$(GDBDIR)
	$(if $(AUTOLOAD),rm -f $(DESTDIR)$(AUTOLOAD)$(LIBDIR)/libumem.so.1-gdb.py)
