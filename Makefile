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
MODULES  ?= /usr/lib/nginx/modules
PREFIX   ?= /usr/local

CFLAGS   ?= -O2 -g
WARN     := -std=gnu99 -Wall -Wextra -Wno-unused-parameter -Werror \
            -Wpointer-arith -Wmissing-prototypes -Wstrict-prototypes
INCS     := -Ilib -Iingress -Iacme -Idnssync -Ioauth2
LIBS     := -ljansson -lyaml -lpcre2-8 -lcrypto -lz

ROOMS    := lib ingress acme dnssync oauth2
HEADERS  := $(wildcard $(ROOMS:%=%/*.h) tool/*.h t/unit/*.h)
LIB_SRCS := $(wildcard $(ROOMS:%=%/*.c))
LIB_OBJS := $(LIB_SRCS:%.c=$(OBJS)/%.o)
TOOL     := $(patsubst %.c,$(OBJS)/%.o,$(wildcard tool/*.c))
UNIT     := $(patsubst t/unit/%.c,$(OBJS)/t/%,$(wildcard t/unit/test_*.c))
DRIVE    := $(patsubst t/unit/%.c,$(OBJS)/t/%,$(wildcard t/unit/drive_*.c))
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
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcurl -lssl


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


# Tests.  Everything that can be is run with AddressSanitizer and
# UndefinedBehaviorSanitizer: the C units, the seeds of the fuzzers, and the
# module in Debian's nginx.

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
            -fno-omit-frame-pointer
SAN      := $(OBJS)/sanitize
FUZZ_OBJ := $(OBJS)/fuzz
SECONDS  ?= 60
JOBS     ?= $(shell nproc)
WORKERS  ?= $(shell expr $(JOBS) + 1)   # of pytest, which mostly waits

# what pytest drives with the sanitized module, too
SAN_TESTS := t/test_streams.py t/test_changes.py t/test_balancer.py \
             t/test_body_size.py t/test_bad_input.py t/test_attack.py \
             t/test_helper.py t/test_old_tables.py t/test_kubernetes.py \
             t/test_leader.py t/test_webhook.py t/test_source.py \
             t/test_issuers.py t/test_namespaces.py t/test_challenges.py \
             t/test_acme.py t/test_acme_cluster.py t/test_acme_key.py \
             t/test_login.py t/test_login_gate.py t/test_login_attack.py \
             t/test_login_bearer.py t/test_login_redis.py \
             t/test_external_auth.py t/test_basic_auth.py t/test_dns.py

$(OBJS)/t/%: t/unit/%.c $(OBJS)/libtorii.a $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) $(INCS) -It/unit $(LDFLAGS) -o $@ $< \
	    $(OBJS)/libtorii.a $(LIBS)

$(OBJS)/t/fuzz_%: t/fuzz/fuzz_%.c $(OBJS)/libtorii.a $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) -Wno-missing-prototypes $(INCS) -It/unit \
	    -fsanitize=fuzzer -o $@ $< $(OBJS)/libtorii.a $(LIBS)

$(OBJS)/t/drive_cloud: LIBS += -lcurl

units: $(UNIT)

fuzzers: $(FUZZ:$(OBJS)/%=$(OBJS)/t/%)

asan:
	$(MAKE) -j$(JOBS) OBJS=$(SAN) CFLAGS="-O1 -g $(SANITIZE)" units tool
	$(MAKE) -j$(JOBS) OBJS=$(SAN) MOD_CFLAGS="-O1 $(SANITIZE)" module

fuzz-build:
	$(MAKE) -j$(JOBS) OBJS=$(FUZZ_OBJ) CC=clang \
	    CFLAGS="-O1 -g $(SANITIZE) -fsanitize=fuzzer-no-link" fuzzers

fuzz: fuzz-build
	@for f in $(FUZZ:$(OBJS)/fuzz_%=%); do \
	    mkdir -p $(FUZZ_OBJ)/corpus/$$f && echo "fuzz_$$f" && \
	    $(FUZZ_OBJ)/t/fuzz_$$f -max_total_time=$(SECONDS) \
	        -artifact_prefix=$(FUZZ_OBJ)/ -verbosity=0 -print_final_stats=1 \
	        $(FUZZ_OBJ)/corpus/$$f t/fuzz/seeds/$$f || exit 1; \
	done

check:
	TORII_OBJS=$(OBJS) /usr/bin/python3 t/check.py

reference: tool
	TORII_OBJS=$(OBJS) /usr/bin/python3 t/reference.py --write

unit: asan
	prove -j$(JOBS) -e '' $(UNIT:$(OBJS)/%=$(SAN)/%)

seeds: fuzz-build
	@for f in $(FUZZ:$(OBJS)/fuzz_%=%); do \
	    $(FUZZ_OBJ)/t/fuzz_$$f -runs=0 t/fuzz/seeds/$$f \
	        > $(FUZZ_OBJ)/$$f.log 2>&1 || \
	        { cat $(FUZZ_OBJ)/$$f.log; exit 1; }; \
	    echo "fuzz_$$f: $$(ls t/fuzz/seeds/$$f | wc -l) seeds"; \
	done

integration: all $(DRIVE)
	$(PYTEST) -q -n $(WORKERS) --dist loadfile t

faults: SECONDS = 600
faults: all
	TORII_FAULTS=$(SECONDS) $(PYTEST) -q -s t/test_leader.py -k faults

sanitized: all asan
	TORII_SANITIZE=1 $(PYTEST) -q -n $(WORKERS) --dist loadfile \
	    $(wildcard $(SAN_TESTS))

test-install:
	deploy/install deploy/packages deploy/packages-image t/packages

test: test-install
	$(MAKE) -j$(JOBS) all
	$(MAKE) check unit seeds integration sanitized


# Images and packages

VERSION = $(shell sed -n 's/.*TORII_VERSION *"\(.*\)"/\1/p' lib/torii.h)
IMAGE  ?= localhost/torii:$(VERSION)
BASE   ?=

image-packages:
	deploy/install deploy/packages-image

image: image-packages
	deploy/image $(OBJS) $(IMAGE) $(BASE)
	rm -f $(OBJS)/image.tar
	buildah --root $(abspath $(OBJS))/containers \
	    --runroot $(abspath $(OBJS))/containers-run \
	    push -q $(IMAGE) docker-archive:$(OBJS)/image.tar:$(IMAGE)

image-test: all image-packages
	$(PYTEST) -q t/test_image.py

deb: image-packages install-packages
	deploy/deb $(OBJS)

package-test: all image-packages
	$(PYTEST) -q t/test_package.py


# Benchmarks: figures side by side, as ratios; QUICK=1 for a first look

$(OBJS)/bench_%: t/bench/bench_%.c $(OBJS)/libtorii.a $(HEADERS)
	$(CC) $(CFLAGS) $(WARN) $(INCS) -It/unit $(LDFLAGS) -o $@ $< \
	    $(OBJS)/libtorii.a $(LIBS)

bench-install:
	deploy/install deploy/packages t/bench/packages

bench: bench-install
	$(MAKE) all $(OBJS)/bench_compile $(OBJS)/bench_route $(OBJS)/bench_session
	TORII_OBJS=$(OBJS) QUICK=$(QUICK) /usr/bin/python3 t/bench/bench.py $(OBJS)


# Running

install-packages:
	deploy/install deploy/packages

run: install-packages
	$(MAKE) -j$(JOBS) all
	deploy/run $(OBJS)

help:
	@echo 'make               the module and the tool, in $(OBJS)/'
	@echo 'make install       the same, to $(MODULES) and $(PREFIX)/bin'
	@echo 'make run           install what is missing, build, serve the sample'
	@echo 'make test          install what tests need, build, run all of them'
	@echo 'make check         style and drift guards'
	@echo 'make reference     README: annotations, keys of the ConfigMap'
	@echo 'make unit          C units under ASan and UBSan'
	@echo 'make seeds         the seeds of all fuzzers'
	@echo 'make integration   pytest against a real nginx'
	@echo 'make sanitized     the same against a sanitized module'
	@echo 'make asan          build with ASan and UBSan, in $(SAN)/'
	@echo 'make fuzz          each fuzzer for SECONDS=60'
	@echo 'make faults        two gateways at a faulty API server, SECONDS=600'
	@echo 'make bench         figures against nginx, HAProxy and Caddy'
	@echo 'make image         container image, as $(OBJS)/image.tar'
	@echo 'make image-test    the same, run by podman'
	@echo 'make deb           Debian packages, in $(OBJS)/deb/'
	@echo 'make package-test  the same, installed and removed'
	@echo 'make clean         remove $(OBJS)/'

# by rename: a running nginx may have the old module mapped
install: all
	install -d $(DESTDIR)$(MODULES) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(MODULE) $(DESTDIR)$(MODULES)/ngx_http_torii_module.so.new
	mv $(DESTDIR)$(MODULES)/ngx_http_torii_module.so.new \
	    $(DESTDIR)$(MODULES)/ngx_http_torii_module.so
	install -m 755 $(OBJS)/torii $(DESTDIR)$(PREFIX)/bin/torii

# the storage of images stays mounted on itself
clean:
	! mountpoint -q $(OBJS)/containers/overlay || \
	    umount -l $(OBJS)/containers/overlay
	rm -rf $(OBJS)

.PHONY: all tool module units fuzzers asan fuzz-build fuzz check reference \
        unit seeds integration sanitized test-install test install-packages \
        install run faults bench bench-install help clean image-packages image \
        image-test deb package-test FORCE
