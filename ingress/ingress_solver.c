
/*
 * Which solver of an ACME issuer proves a name, by cert-manager's rules: of
 * those that can and whose selector matches, a name counts more than a zone, a
 * longer zone more than a shorter one, then the number of labels; of equals the
 * first one.
 */

#include "ingress_issue_claim.h"
#include "ingress_decode.h"


#define INGRESS_SOLVE_GATEWAY  (INGRESS_SOLVE_HTTP | INGRESS_SOLVE_ALPN)


/* What of a selector matched, in order of weight. */

typedef struct {
    uint32_t  names;
    uint32_t  zone;       /* labels of the longest one */
    uint32_t  labels;
} ingress_solver_rank_t;


static uint32_t ingress_solver_bare(const ingress_object_t *issuer,
    uint32_t wish, int wildcard, uint32_t persist);
static int ingress_solver_can(const ingress_solver_t *solver, uint32_t wish,
    int wildcard, int address);
static int ingress_solver_matches(const ingress_solver_t *solver,
    const ingress_pairs_t *labels, torii_str_t name,
    ingress_solver_rank_t *rank);
static int ingress_solver_labels(const ingress_pairs_t *want,
    const ingress_pairs_t *labels);
static int ingress_solver_named(const ingress_strings_t *names,
    torii_str_t name);
static uint32_t ingress_solver_zone(const ingress_strings_t *zones,
    torii_str_t name);
static int ingress_solver_better(const ingress_solver_rank_t *a,
    const ingress_solver_rank_t *b);


void
ingress_solver_choose(const ingress_object_t *issuer,
    const ingress_pairs_t *labels, uint32_t wish, ingress_issue_name_t *name)
{
    int                           wildcard, address, selected;
    uint32_t                      i, persist;
    const ingress_solver_t       *solver, *best;
    ingress_solver_rank_t         rank, top;
    const ingress_issuer_acme_t  *acme;

    name->solve = 0;
    name->solver = 0;

    acme = &issuer->u.issuer.acme;
    wildcard = torii_str_starts(name->name, "*.");
    address = ingress_is_address(name->name);
    persist = address ? 0 : INGRESS_SOLVE_PERSIST
                            | (wish & INGRESS_SOLVE_PERSIST_ONLY);

    if (acme->nsolvers == 0) {
        name->solve = ingress_solver_bare(issuer, wish, wildcard, persist);
        return;
    }

    best = NULL;
    selected = 0;
    memset(&top, 0, sizeof(ingress_solver_rank_t));

    for (i = 0; i < acme->nsolvers; i++) {
        solver = &acme->solvers[i];

        if (solver->unusable
            || !ingress_solver_matches(solver, labels, name->name, &rank))
        {
            continue;
        }

        selected = 1;

        if (ingress_solver_can(solver, wish, wildcard, address)
            && (best == NULL || ingress_solver_better(&rank, &top)))
        {
            best = solver;
            top = rank;
        }
    }

    if (best == NULL) {

        /* whoever may have the name shown by a record, or asks for that */

        if (selected && (wildcard || (wish & INGRESS_SOLVE_PERSIST_ONLY))
            && !(wish & INGRESS_SOLVE_DNS))
        {
            name->solve = persist;
        }

        return;
    }

    if (best->type == INGRESS_SOLVER_DNS01) {
        name->solve = INGRESS_SOLVE_DNS | persist;
        name->solver = (uint32_t) (best - acme->solvers);
        return;
    }

    name->solve = INGRESS_SOLVE_GATEWAY | (wish & INGRESS_SOLVE_ALPN_FIRST)
                  | persist;
}


/*
 * An issuer without solvers: in a file the gateway stands for them.  In a
 * cluster it is one that cert-manager could not use either, unless a challenge
 * is asked for in our words.
 */

static uint32_t
ingress_solver_bare(const ingress_object_t *issuer, uint32_t wish,
    int wildcard, uint32_t persist)
{
    if ((wish & INGRESS_SOLVE_DNS) || (wish == 0 && issuer->file.len == 0)) {
        return 0;
    }

    if (wildcard || (wish & INGRESS_SOLVE_PERSIST_ONLY)) {
        return persist;
    }

    return INGRESS_SOLVE_GATEWAY | (wish & INGRESS_SOLVE_ALPN_FIRST) | persist;
}


/*
 * RFC 8555, section 8.3, and RFC 8737, section 3: no wildcards; RFC 8738,
 * section 7: no addresses by DNS.
 */

static int
ingress_solver_can(const ingress_solver_t *solver, uint32_t wish, int wildcard,
    int address)
{
    if (wish & INGRESS_SOLVE_PERSIST_ONLY) {
        return 0;
    }

    if (solver->type == INGRESS_SOLVER_DNS01) {
        return !address && (wildcard || wish == 0
                            || (wish & INGRESS_SOLVE_DNS));
    }

    return solver->type == INGRESS_SOLVER_HTTP01
           && !wildcard && !(wish & INGRESS_SOLVE_DNS);
}


static int
ingress_solver_matches(const ingress_solver_t *solver,
    const ingress_pairs_t *labels, torii_str_t name,
    ingress_solver_rank_t *rank)
{
    if (!ingress_solver_labels(&solver->labels, labels)) {
        return 0;
    }

    rank->labels = solver->labels.n;
    rank->names = ingress_solver_named(&solver->dns_names, name);

    if (solver->dns_names.n && !rank->names) {
        return 0;
    }

    rank->zone = ingress_solver_zone(&solver->dns_zones, name);

    return solver->dns_zones.n == 0 || rank->zone;
}


static int
ingress_solver_labels(const ingress_pairs_t *want,
    const ingress_pairs_t *labels)
{
    uint32_t  i, n;

    for (i = 0; i < want->n; i++) {

        for (n = 0; n < labels->n; n++) {
            if (torii_str_eq(want->elts[i].name, labels->elts[n].name)) {
                break;
            }
        }

        if (n == labels->n
            || !torii_str_eq(want->elts[i].value, labels->elts[n].value))
        {
            return 0;
        }
    }

    return 1;
}


static int
ingress_solver_named(const ingress_strings_t *names, torii_str_t name)
{
    uint32_t  i;

    for (i = 0; i < names->n; i++) {
        if (torii_str_eq(names->elts[i], name)) {
            return 1;
        }
    }

    return 0;
}


static uint32_t
ingress_solver_zone(const ingress_strings_t *zones, torii_str_t name)
{
    size_t       k;
    uint32_t     i, n, most;
    torii_str_t  zone, tail;

    most = 0;

    for (i = 0; i < zones->n; i++) {
        zone = zones->elts[i];

        if (zone.len == 0 || zone.len > name.len) {
            continue;
        }

        tail.len = zone.len;
        tail.data = name.data + name.len - zone.len;

        if (!torii_str_eq(tail, zone)
            || (tail.data != name.data && tail.data[-1] != '.'))
        {
            continue;
        }

        n = 1;

        for (k = 0; k < zone.len; k++) {
            n += (zone.data[k] == '.');
        }

        if (n > most) {
            most = n;
        }
    }

    return most;
}


static int
ingress_solver_better(const ingress_solver_rank_t *a,
    const ingress_solver_rank_t *b)
{
    if (a->names != b->names) {
        return a->names > b->names;
    }

    if (a->zone != b->zone) {
        return a->zone > b->zone;
    }

    return a->labels > b->labels;
}
