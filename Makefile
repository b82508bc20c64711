# make          the nginx module and the command-line tool, in objs/
# make run      install what is missing, build, serve the sample objects
# make test     install what the tests need, build, run all of them
# make help     all targets

SHELL    := /bin/bash
ROOT     := $(CURDIR)
OBJS     ?= objs
CC       = gcc
NGX_SRC  ?= /usr/share/nginx/src
PYTEST   ?= /usr/bin/pytest-3

CFLAGS   ?= -O2 -g
WARN     := -std=gnu99 -Wall -Wextra -Wno-unused-parameter -Werror \
            -Wpointer-arith -Wmissing-prototypes -Wstrict-prototypes
INCS     := -Ilib -Iingress
LIBS     := -ljansson -lyaml -lpcre2-8 -lcrypto

ROOMS    := lib ingress
HEADERS  := $(wildcard $(ROOMS:%=%/*.h) tool/*.h t/unit/*.h)
LIB_SRCS := $(wildcard $(ROOMS:%=%/*.c))
LIB_OBJS := $(LIB_SRCS:%.c=$(OBJS)/%.o)
TOOL     := $(patsubst %.c,$(OBJS)/%.o,$(wildcard tool/*.c))
UNIT     := $(patsubst t/unit/%.c,$(OBJS)/t/%,$(wildcard t/unit/test_*.c))
FUZZ     := $(patsubst t/fuzz/%.c,$(OBJS)/%,$(wildcard t/fuzz/fuzz_*.c))
MODULE   := $(OBJS)/ngx_http_torii_module.so
MOD_SRCS := $(LIB_SRCS) $(wildcard ngx_module/*.c)

all: module tool

tool: $(OBJS)/torii

module: $(MODULE)

$(OBJS)/%.o: %.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) $(INCS) -fPIC -c -o $@ $<

$(OBJS)/libtorii.a: $(LIB_OBJS)
	rm -f $@ && ar rcs $@ $^

$(OBJS)/torii: $(TOOL) $(OBJS)/libtorii.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)


# The module is configured anew when its list of files changes, and built
# against the very nginx that loads it: Debian's nginx-dev.

NGX_BLD  := $(abspath $(OBJS))/nginx

$(OBJS)/sources: FORCE
	@mkdir -p $(@D)
	@echo "$(CC) $(MOD_CFLAGS) $(MOD_SRCS)" | cmp -s - $@ || \
	    echo "$(CC) $(MOD_CFLAGS) $(MOD_SRCS)" > $@

$(NGX_BLD)/Makefile: config $(OBJS)/sources
	deploy/configure $(NGX_SRC) $(NGX_BLD) $(ROOT) "$(MOD_CFLAGS)" "$(CC)"

$(MODULE): $(NGX_BLD)/Makefile $(MOD_SRCS) $(HEADERS) \
           $(wildcard ngx_module/*.h)
	$(MAKE) -f $(NGX_BLD)/Makefile -C $(NGX_SRC) modules
	cp $(NGX_BLD)/ngx_http_torii_module.so $@.tmp && mv $@.tmp $@

FORCE:


# Tests

$(OBJS)/t/%: t/unit/%.c $(OBJS)/libtorii.a $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) $(INCS) -It/unit $(LDFLAGS) -o $@ $< \
	    $(OBJS)/libtorii.a $(LIBS)

unit: $(UNIT)
	prove -e '' $(UNIT)

clean:
	rm -rf $(OBJS)

.PHONY: all tool module unit clean FORCE
