
/*
 * Zones of Route 53.
 */

#include "dnssync_route53.h"


static int dnssync_route53_zone(dnssync_op_t *op, dnssync_xml_t *x,
    dnssync_found_t *zone);


dnssync_op_step_e
dnssync_route53_zones(dnssync_op_t *op, torii_str_t body)
{
    int                 ok;
    unsigned            depth;
    torii_str_t         truncated, marker;
    dnssync_xml_t       x;
    torii_arena_t      *a;
    dnssync_found_t     zone;
    dnssync_route53_t  *st;

    st = op->state;
    ok = 1;
    marker = truncated = torii_str("");
    a = torii_arena_create(16 * 1024);

    dnssync_xml_start(&x, a, body);

    if (!dnssync_xml_child(&x, 0)
        || !torii_str_eqs(x.name, "ListHostedZonesResponse"))
    {
        ok = 0;
    }

    while (ok && dnssync_xml_child(&x, 1)) {

        if (torii_str_eqs(x.name, "HostedZones")) {
            depth = x.depth;

            while (ok && dnssync_xml_child(&x, depth)) {
                ok = dnssync_route53_zone(op, &x, &zone) == TORII_OK
                     && op->nzones < DNSSYNC_ZONES_MAX;
                if (ok) {
                    *dnssync_op_zone(op) = zone;
                }
            }

        } else if (torii_str_eqs(x.name, "IsTruncated")) {
            truncated = dnssync_xml_value(&x);

        } else if (torii_str_eqs(x.name, "NextMarker")) {
            marker = dnssync_xml_value(&x);
        }
    }

    ok = ok && dnssync_xml_done(&x);

    if (ok && torii_str_eqs(truncated, "true")) {
        ok = marker.len && !torii_str_eq(marker, st->next.name);
        st->next.name = torii_arena_str(op->arena, marker);
        st->next.more = 1;

    } else {
        ok = ok && torii_str_eqs(truncated, "false");
        st->next.more = 0;
    }

    torii_arena_destroy(a);

    if (!ok) {
        return dnssync_route53_senseless(op);
    }

    return st->next.more ? dnssync_route53_go(op) : DNSSYNC_OP_DONE;
}


/* "/hostedzone/Z0123456789" */

static int
dnssync_route53_zone(dnssync_op_t *op, dnssync_xml_t *x,
    dnssync_found_t *zone)
{
    int          rc;
    unsigned     depth, inner;
    uint64_t     n;
    torii_str_t  id;

    depth = x->depth;
    rc = TORII_ERROR;
    memset(zone, 0, sizeof(dnssync_found_t));

    while (dnssync_xml_child(x, depth)) {

        if (torii_str_eqs(x->name, "Id")) {
            id = dnssync_xml_value(x);

            if (torii_str_starts(id, "/hostedzone/")) {
                id.data += sizeof("/hostedzone/") - 1;
                id.len -= sizeof("/hostedzone/") - 1;
            }

            zone->id = torii_arena_str(op->arena, id);

        } else if (torii_str_eqs(x->name, "Name")) {
            rc = dnssync_record_octal(op->arena, dnssync_xml_value(x),
                                      &zone->name);

        } else if (torii_str_eqs(x->name, "ResourceRecordSetCount")) {
            if (torii_str_uint(dnssync_xml_value(x), UINT32_MAX, &n)
                == TORII_OK)
            {
                zone->sets = n;
            }

        } else if (torii_str_eqs(x->name, "Config")) {
            inner = x->depth;

            while (dnssync_xml_child(x, inner)) {
                if (torii_str_eqs(x->name, "PrivateZone")) {
                    zone->private = torii_str_eqs(dnssync_xml_value(x),
                                                  "true");
                }
            }
        }
    }

    return (rc == TORII_OK && dnssync_cloud_printable(zone->id)
            && !x->failed) ? TORII_OK : TORII_ERROR;
}


dnssync_op_step_e
dnssync_route53_count(dnssync_op_t *op, torii_str_t body)
{
    int                 ok;
    dnssync_xml_t       x;
    torii_arena_t      *a;
    dnssync_found_t     zone;
    dnssync_route53_t  *st;

    st = op->state;
    ok = 0;
    a = torii_arena_create(4096);
    memset(&zone, 0, sizeof(dnssync_found_t));

    dnssync_xml_start(&x, a, body);

    if (dnssync_xml_child(&x, 0)
        && torii_str_eqs(x.name, "GetHostedZoneResponse"))
    {
        while (!ok && dnssync_xml_child(&x, 1)) {
            if (torii_str_eqs(x.name, "HostedZone")) {
                ok = dnssync_route53_zone(op, &x, &zone) == TORII_OK;
            }
        }
    }

    ok = ok && dnssync_xml_done(&x) && torii_str_eq(zone.id, op->zone.id)
         && zone.sets;
    torii_arena_destroy(a);

    if (!ok) {
        return dnssync_route53_senseless(op);
    }

    st->count = zone.sets;
    op->next = torii_arena_printf(op->arena, "sets=%u", (unsigned) zone.sets);

    if (op->what == DNSSYNC_OP_PROBE) {
        op->same = torii_str_eq(op->next, op->version);
        return DNSSYNC_OP_DONE;
    }

    if (st->phase == DNSSYNC_ROUTE53_AGAIN) {
        return dnssync_route53_over(op);
    }

    st->phase = DNSSYNC_ROUTE53_SETS;

    return dnssync_route53_go(op);
}
