
/*
 * A byte of choice, a name up to NUL, then a TXT record's value in a zone's
 * form: read as a mark, and what was read is written and read again to the
 * same; the name is taken apart and put together; then both are planned with,
 * by its owner or by another, who may not touch it.
 */

#include <stdlib.h>

#include "dnssync_plan.h"


#define FUZZ_NOW  1795000000


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const struct {
    const char      *prefix;
    const char      *suffix;
    const char      *wildcard;
    const char      *key;
} fuzz_registries[] = {
    { "", "", "", "" },
    { "p.", "", "any", "" },
    { "ext-%{record_type}.", "", "", "" },
    { "", "-%{record_type}", "", "" },
    { "", ".s", "any", "" },
    { "", "", "", "01234567890123456789012345678901" }
};

#define FUZZ_REGISTRIES                                                       \
    (sizeof(fuzz_registries) / sizeof(fuzz_registries[0]))


static void
fuzz_text(torii_arena_t *a, const dnssync_registry_t *r, torii_str_t text)
{
    torii_str_t       again;
    torii_buf_t       b = { NULL, 0, 0 };
    dnssync_owner_t   owner, second;

    if (dnssync_owner_read(r, a, text, &owner) != TORII_OK) {
        return;
    }

    if (owner.id.len == 0 || torii_str_has_control(owner.id)
        || torii_str_has_control(owner.resource)
        || !torii_str_is_utf8(owner.id))
    {
        abort();
    }

    if (dnssync_owner_write(r, owner.external ? DNSSYNC_FORM_EXTERNAL
                                              : DNSSYNC_FORM_OWN, &owner, &b)
        != TORII_OK)
    {
        abort();
    }

    again.data = b.data;
    again.len = b.len;

    /* quotes at the end of a text are not its own */

    if (!(owner.external && again.len
          && memchr(again.data, '"', again.len) != NULL)
        && again.len <= DNSSYNC_VALUE_MAX
        && (dnssync_owner_read(r, a, again, &second) != TORII_OK
            || !torii_str_eq(owner.id, second.id)
            || !torii_str_eq(owner.resource, second.resource)
            || owner.types != second.types))
    {
        abort();
    }

    torii_buf_free(&b);
}


static void
fuzz_name(const dnssync_registry_t *r, torii_str_t name)
{
    size_t           len;
    unsigned         type;
    torii_str_t      host;
    unsigned char    buf[DNSSYNC_HOST_MAX], back[DNSSYNC_HOST_MAX];
    dnssync_form_e   form;

    if (dnssync_owner_host(r, name, &form, &type, &host, buf) != TORII_OK) {
        return;
    }

    if (host.len == 0 || (form == DNSSYNC_FORM_EXTERNAL && type == 0)) {
        abort();
    }

    len = dnssync_owner_name(r, form, host, type, back);

    if (len == 0 || memchr(host.data, '*', host.len) != NULL
        || torii_str_starts(name, "_dnssync"))
    {
        return;
    }

    if (len != name.len || memcmp(back, name.data, len) != 0) {
        abort();
    }
}


static void
fuzz_plan(torii_arena_t *a, const dnssync_registry_t *r, torii_str_t name,
    torii_str_t text)
{
    int                 ours;
    uint32_t            i, k;
    torii_str_t         address;
    dnssync_part_t     *part;
    dnssync_conf_t      conf;
    dnssync_plan_t      plan;
    dnssync_zone_t      zone;
    dnssync_gate_t     *gate;
    dnssync_rrset_t     sets[2];
    dnssync_input_t     in;
    dnssync_owner_t     owner;
    dnssync_source_t    source;
    dnssync_endpoint_t  e;

    memset(&conf, 0, sizeof(conf));
    memset(&plan, 0, sizeof(plan));
    memset(&zone, 0, sizeof(zone));
    memset(sets, 0, sizeof(sets));
    memset(&in, 0, sizeof(in));
    memset(&source, 0, sizeof(source));
    memset(&e, 0, sizeof(e));

    address = torii_str("192.0.2.1");

    sets[0].name = name;
    sets[0].type = DNSSYNC_TXT;
    sets[0].values = &text;
    sets[0].n = 1;
    sets[1].name = torii_str("www.a.test");
    sets[1].type = DNSSYNC_A;
    sets[1].values = &address;
    sets[1].n = 1;

    zone.id = torii_str("z");
    zone.name = torii_str("a.test");
    zone.state = DNSSYNC_ZONE_COMPLETE;
    zone.sets = sets;
    zone.n = 2;
    zone.listed = FUZZ_NOW;

    e.name = torii_str("app.a.test");
    e.resource = torii_str("r");
    e.type = DNSSYNC_A;
    e.targets = &address;
    e.n = 1;

    source.endpoints = &e;
    source.n = 1;
    source.complete = 1;

    conf.registry = *r;
    conf.policy = DNSSYNC_SYNC;
    conf.allow_empty = 1;
    conf.lock_period = 3600;
    conf.instance = torii_str("w.2");

    in.conf = &conf;
    in.source = &source;
    in.zones = &zone;
    in.nzones = 1;
    in.now = FUZZ_NOW;

    plan.arena = a;
    gate = dnssync_gate_create();

    (void) dnssync_plan(&plan, &in, gate);
    in.now += 60;
    zone.listed = in.now;
    plan.n = 0;
    (void) dnssync_plan(&plan, &in, gate);

    /* unless the text is our mark, it stays, alone or beside ours */

    ours = dnssync_owner_read(r, a, text, &owner) == TORII_OK
           && torii_str_eq(owner.id, r->id);

    for (i = 0; i < plan.n; i++) {
        for (k = 0; k < plan.edits[i].nparts; k++) {
            part = &plan.edits[i].parts[k];

            if (part->before != NULL && !ours
                && (part->before != &sets[0] || part->after == NULL
                    || !torii_str_eq(part->after->values[0], text)))
            {
                abort();
            }
        }
    }

    for (i = 0; i < plan.nfindings; i++) {
        if (torii_str_has_control(plan.findings[i].text)) {
            abort();
        }
    }

    dnssync_gate_free(gate);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t               len;
    torii_str_t          s, name, text;
    const uint8_t       *nul;
    torii_arena_t       *a;
    dnssync_registry_t   r;

    nul = size ? memchr(data + 1, '\0', size - 1) : NULL;

    if (nul == NULL) {
        return 0;
    }

    memset(&r, 0, sizeof(dnssync_registry_t));

    r.id = torii_str(data[0] & 0x80 ? "me" : "nobody");
    r.form = DNSSYNC_FORM_EXTERNAL;

    len = (data[0] & 0x7f) % FUZZ_REGISTRIES;

    r.prefix = torii_str(fuzz_registries[len].prefix);
    r.suffix = torii_str(fuzz_registries[len].suffix);
    r.wildcard = torii_str(fuzz_registries[len].wildcard);
    r.key = torii_str(fuzz_registries[len].key);

    a = torii_arena_create(4096);

    s.data = (unsigned char *) data + 1;
    s.len = nul - (data + 1);

    if (dnssync_record_read(a, s, &name) == TORII_OK) {
        fuzz_name(&r, name);

        s.data = (unsigned char *) nul + 1;
        s.len = size - (nul + 1 - data);

        if (dnssync_txt_read(a, s, &text) == TORII_OK) {
            fuzz_text(a, &r, text);
            fuzz_plan(a, &r, name, text);
        }
    }

    torii_arena_destroy(a);

    return 0;
}
