
/*
 * What an edit requires, compared with what was read just before.
 */

#include "dnssync_check.h"


static int dnssync_check_stale(const dnssync_op_t *op,
    const dnssync_check_t *check, const dnssync_edit_t *edit);
static void dnssync_check_names(dnssync_check_t *check,
    const dnssync_edit_t *edit);
static int dnssync_check_one(dnssync_op_t *op, const dnssync_check_t *check,
    const dnssync_require_t *require);
static const dnssync_rrset_t *dnssync_part_any(const dnssync_part_t *part);


int
dnssync_check_begin(dnssync_op_t *op, dnssync_check_t *check, uint32_t from,
    uint32_t to)
{
    uint32_t               i;
    const dnssync_edit_t  *edit;

    op->nsets = 0;
    memset(&check->map, 0, sizeof(dnssync_map_t));
    check->n = 0;
    check->next = 0;
    check->whole = 0;

    for (i = from; i < to; i++) {
        edit = op->edits[i];

        if (dnssync_check_meets(op, &check->touched, edit)) {
            dnssync_op_result(op, i, DNSSYNC_OUTCOME_LOST, "another change "
                              "has come first");
        }

        if (op->results[i].what == DNSSYNC_OUTCOME_LATER
            && dnssync_check_stale(op, check, edit))
        {
            dnssync_check_names(check, edit);
        }
    }

    return check->whole || check->n;
}


static int
dnssync_check_stale(const dnssync_op_t *op, const dnssync_check_t *check,
    const dnssync_edit_t *edit)
{
    uint64_t  now, listed;

    now = op->now / 1000;
    listed = edit->zone ? edit->zone->listed : 0;

    if (check->whole_at && check->whole_at / 1000 > listed) {
        listed = check->whole_at / 1000;
    }

    return listed > now
           || now - listed > (check->age ? check->age : DNSSYNC_CHECK_AGE);
}


static void
dnssync_check_names(dnssync_check_t *check, const dnssync_edit_t *edit)
{
    uint32_t     i, j;
    torii_str_t  name;

    for (i = 0; i < edit->nrequires && !check->whole; i++) {
        name = edit->requires[i].name;

        for (j = 0; j < check->n; j++) {
            if (torii_str_eq(check->names[j], name)) {
                break;
            }
        }

        if (j < check->n) {
            continue;
        }

        if (check->n == DNSSYNC_CHECK_NAMES) {
            check->whole = 1;
            return;
        }

        check->names[check->n++] = name;
    }
}


void
dnssync_check_end(dnssync_op_t *op, dnssync_check_t *check, uint32_t from,
    uint32_t to)
{
    uint32_t               i, j;
    const dnssync_edit_t  *edit;

    for (i = from; i < to; i++) {
        edit = op->edits[i];

        if (op->results[i].what != DNSSYNC_OUTCOME_LATER
            || !dnssync_check_stale(op, check, edit))
        {
            continue;
        }

        for (j = 0; j < edit->nrequires; j++) {
            if (!dnssync_check_one(op, check, &edit->requires[j])) {
                dnssync_op_result(op, i, DNSSYNC_OUTCOME_LOST, "%.*s %s is "
                                  "not what it was when the zone was listed",
                                  torii_str_arg(edit->requires[j].name),
                                  dnssync_rtype_word(edit->requires[j].type));
                break;
            }
        }
    }

    if (check->whole) {
        check->whole_at = op->now;
    }

    op->nsets = 0;
    memset(&check->map, 0, sizeof(dnssync_map_t));
}


static int
dnssync_check_one(dnssync_op_t *op, const dnssync_check_t *check,
    const dnssync_require_t *require)
{
    dnssync_map_entry_t  *e;

    e = dnssync_map_get(&check->map, dnssync_check_key(op->arena,
                                         require->name, require->set),
                        require->type);

    if (require->equal == NULL || require->equal->n == 0) {
        return e == NULL;
    }

    return e != NULL && dnssync_check_equal(&op->sets[e->number],
                                            require->equal);
}


/* What map goes by, where a name has several sets of a type. */

torii_str_t
dnssync_check_key(torii_arena_t *a, torii_str_t name, torii_str_t set)
{
    return set.len ? torii_arena_printf(a, "%.*s %.*s", torii_str_arg(name),
                                        torii_str_arg(set))
                   : name;
}


int
dnssync_check_equal(const dnssync_rrset_t *a, const dnssync_rrset_t *b)
{
    uint32_t  i, j;

    if (a->n != b->n || !torii_str_eq(a->tag, b->tag)) {
        return 0;
    }

    for (i = 0; i < a->n; i++) {
        for (j = 0; j < b->n && !torii_str_eq(a->values[i], b->values[j]);
             j++)
        {
            /* void */
        }

        if (j == b->n) {
            return 0;
        }
    }

    return 1;
}


void
dnssync_check_touch(dnssync_op_t *op, dnssync_map_t *touched, uint32_t edit)
{
    int                     made;
    uint32_t                i;
    const dnssync_rrset_t  *set;

    for (i = 0; i < op->edits[edit]->nparts; i++) {
        set = dnssync_part_any(&op->edits[edit]->parts[i]);

        (void) dnssync_map_put(touched, op->arena,
                               dnssync_check_key(op->arena, set->name,
                                                 set->set),
                               set->type, &made);
    }
}


int
dnssync_check_meets(dnssync_op_t *op, const dnssync_map_t *touched,
    const dnssync_edit_t *edit)
{
    uint32_t                i;
    const dnssync_rrset_t  *set;

    for (i = 0; i < edit->nparts; i++) {
        set = dnssync_part_any(&edit->parts[i]);

        if (dnssync_map_get(touched, dnssync_check_key(op->arena, set->name,
                                                       set->set),
                            set->type)
            != NULL)
        {
            return 1;
        }
    }

    return 0;
}


static const dnssync_rrset_t *
dnssync_part_any(const dnssync_part_t *part)
{
    return part->before ? part->before : part->after;
}
