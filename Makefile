# make          the nginx module and the command-line tool, in objs/
# make run      install what is missing, build, serve the sample objects
# make test     install what the tests need, build, run all of them
# README.md says more; "make help" lists all targets.

ROOT     := $(CURDIR)
OBJS     ?= objs
CC       ?= gcc
NGX_SRC  ?= /usr/share/nginx/src

CFLAGS   ?= -O2 -g
WARN     := -std=gnu99 -Wall -Wextra -Wno-unused-parameter -Werror \
            -Wpointer-arith -Wmissing-prototypes -Wstrict-prototypes
INCS     := -Ilib -Iingress
LIBS     := -ljansson -lyaml -lpcre2-8 -lcrypto

LIB_SRCS := $(wildcard lib/*.c ingress/*.c)
LIB_OBJS := $(LIB_SRCS:%.c=$(OBJS)/%.o)
UNIT     := $(patsubst t/unit/%.c,$(OBJS)/t/%,$(wildcard t/unit/test_*.c))
HEADERS  := $(wildcard lib/*.h ingress/*.h t/unit/*.h)

all: module tool

tool: $(OBJS)/torii

module: $(OBJS)/ngx_http_torii_module.so

$(OBJS)/%.o: %.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) $(INCS) -fPIC -c -o $@ $<

$(OBJS)/libtorii.a: $(LIB_OBJS)
	rm -f $@ && ar rcs $@ $^

$(OBJS)/torii: $(patsubst %.c,$(OBJS)/%.o,$(wildcard tool/*.c)) $(OBJS)/libtorii.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(OBJS)/t/%: t/unit/%.c $(OBJS)/libtorii.a $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) $(INCS) -It/unit $(LDFLAGS) -o $@ $< \
	    $(OBJS)/libtorii.a $(LIBS)

unit: $(UNIT)
	prove -e '' $(UNIT)

.PHONY: all tool module unit
