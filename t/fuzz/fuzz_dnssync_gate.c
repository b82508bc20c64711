
/*
 * The file that the gate is kept in, with any content: it is read, or told and
 * left; what was read is written and read again to as many bytes, and with it
 * an incomplete source deletes nothing.
 */

#include <stdlib.h>

#include "dnssync_plan.h"


#define FUZZ_NOW  1795000000


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_plan(dnssync_gate_t *gate)
{
    torii_str_t         values[2];
    dnssync_conf_t      conf;
    dnssync_plan_t      plan;
    dnssync_zone_t      zone;
    dnssync_rrset_t     sets[2];
    dnssync_input_t     in;
    dnssync_source_t    source;

    memset(&conf, 0, sizeof(conf));
    memset(&plan, 0, sizeof(plan));
    memset(&zone, 0, sizeof(zone));
    memset(sets, 0, sizeof(sets));
    memset(&in, 0, sizeof(in));
    memset(&source, 0, sizeof(source));

    values[0] = torii_str("192.0.2.1");
    values[1] = torii_str("heritage=torii,owner=me,types=A");

    sets[0].name = torii_str("app.a.test");
    sets[0].type = DNSSYNC_A;
    sets[0].values = &values[0];
    sets[0].n = 1;
    sets[1].name = torii_str("_dnssync.app.a.test");
    sets[1].type = DNSSYNC_TXT;
    sets[1].values = &values[1];
    sets[1].n = 1;

    zone.id = torii_str("z");
    zone.name = torii_str("a.test");
    zone.state = DNSSYNC_ZONE_COMPLETE;
    zone.sets = sets;
    zone.n = 2;
    zone.listed = FUZZ_NOW;

    conf.registry.id = torii_str("me");
    conf.policy = DNSSYNC_SYNC;
    conf.allow_empty = 1;

    in.conf = &conf;
    in.source = &source;
    in.zones = &zone;
    in.nzones = 1;
    in.now = FUZZ_NOW;

    plan.arena = torii_arena_create(4096);

    if (dnssync_plan(&plan, &in, gate) != TORII_OK || plan.n) {
        abort();
    }

    torii_arena_destroy(plan.arena);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char             why[192];
    torii_str_t      in;
    torii_buf_t      one = { NULL, 0, 0 }, two = { NULL, 0, 0 };
    dnssync_gate_t  *gate, *again;

    in.data = (unsigned char *) data;
    in.len = size;

    gate = dnssync_gate_create();
    again = dnssync_gate_create();

    if (dnssync_gate_load(gate, in, why) == TORII_OK) {
        dnssync_gate_save(gate, &one);

        in.data = one.data;
        in.len = one.len;

        if (dnssync_gate_load(again, in, why) != TORII_OK) {
            abort();
        }

        dnssync_gate_save(again, &two);

        if (one.len != two.len) {
            abort();
        }

    } else if (why[0] == '\0') {
        abort();
    }

    fuzz_plan(gate);

    dnssync_gate_free(gate);
    dnssync_gate_free(again);
    torii_buf_free(&one);
    torii_buf_free(&two);

    return 0;
}
