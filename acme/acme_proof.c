
/*
 * Which challenge is to show a name: the operator's order of them, changed by
 * what has worked and by what was seen of those that failed.  A validator that
 * never came will not come the next time; one that came and did not like what
 * it got, or a part of them, is worth another try.
 */

#include <stdio.h>
#include <stdlib.h>

#include "acme_engine.h"


#define ACME_DETAIL_MAX     300      /* bytes of the CA's words */
#define ACME_ADDRESSES_MAX  8        /* that are told from one another */


static acme_turn_t *acme_proof_turn(const acme_entry_t *e, torii_str_t name);
static acme_turn_t *acme_proof_turn_get(acme_entry_t *e, torii_str_t name);
static int acme_proof_ok(torii_str_t name, uint8_t type);
static uint32_t acme_proof_first(const acme_entry_t *e,
    const acme_want_name_t *name, const uint8_t *fit, uint32_t n);
static int acme_proof_shown(const acme_entry_t *e, torii_str_t name,
    uint32_t *i);
static void acme_proof_lean(acme_account_t *a, acme_challenge_e type,
    int well);
static uint32_t acme_proof_index(const acme_want_name_t *name,
    acme_challenge_e type, uint32_t usual);
static void acme_proof_where(const acme_challenge_t *c, torii_buf_t *b);
static void acme_proof_evidence(const acme_entry_t *e, uint32_t i,
    torii_buf_t *b);
static void acme_proof_next(const acme_entry_t *e, torii_str_t name,
    acme_challenge_e failed, torii_buf_t *b);


static acme_turn_t *
acme_proof_turn(const acme_entry_t *e, torii_str_t name)
{
    uint32_t  i;
    uint64_t  hash;

    hash = torii_hash(name.data, name.len, 17);

    for (i = 0; i < e->saved.nturns; i++) {
        if (e->saved.turns[i].name == hash) {
            return &e->saved.turns[i];
        }
    }

    return NULL;
}


/* NULL: there are too many. */

static acme_turn_t *
acme_proof_turn_get(acme_entry_t *e, torii_str_t name)
{
    acme_turn_t   *turn;
    acme_saved_t  *s;

    s = &e->saved;
    turn = acme_proof_turn(e, name);

    if (turn != NULL || s->nturns == ACME_TURNS) {
        return turn;
    }

    s->turns = torii_realloc(s->turns, (s->nturns + 1) * sizeof(acme_turn_t));
    turn = &s->turns[s->nturns++];

    memset(turn, 0, sizeof(acme_turn_t));
    turn->name = torii_hash(name.data, name.len, 17);

    return turn;
}


/* RFC 8555 section 8.3, RFC 8737 section 3, RFC 8738 section 4. */

static int
acme_proof_ok(torii_str_t name, uint8_t type)
{
    int  dns;

    if (type == 0 || type > ACME_CHALLENGE_MAX) {
        return 0;
    }

    dns = (type - 1 == ACME_CHALLENGE_DNS
           || type - 1 == ACME_CHALLENGE_DNS_PERSIST);

    if (torii_str_starts(name, "*.")) {
        return dns;
    }

    return !(dns && acme_name_is_ip(name));
}


/* A record that is there for good is no work: it is the first choice. */

uint32_t
acme_proof_types(const acme_entry_t *e, const acme_want_name_t *name,
    uint8_t types[ACME_CHALLENGE_MAX])
{
    int           persist, wary;
    uint8_t       fit[ACME_CHALLENGE_MAX], type;
    uint32_t      i, n, first, k;
    acme_turn_t  *turn;

    memset(types, 0, ACME_CHALLENGE_MAX);

    persist = 0;
    n = 0;
    k = 0;

    for (i = 0; i < ACME_CHALLENGE_MAX && name->types[i]; i++) {
        type = name->types[i];

        if (!acme_proof_ok(name->name, type)) {
            continue;
        }

        if (type - 1 == ACME_CHALLENGE_DNS_PERSIST) {
            persist = 1;

        } else {
            fit[n++] = type;
        }
    }

    turn = acme_proof_turn(e, name->name);
    wary = (turn != NULL && turn->wary && n);
    first = acme_proof_first(e, name, fit, n);

    if (persist && !wary) {
        types[k++] = ACME_CHALLENGE_DNS_PERSIST + 1;
    }

    for (i = 0; i < n && k < ACME_CHALLENGE_MAX; i++) {
        types[k++] = fit[(i + first) % n];
    }

    if (persist && wary && k < ACME_CHALLENGE_MAX) {
        types[k++] = ACME_CHALLENGE_DNS_PERSIST + 1;
    }

    return k;
}


/* What worked for the name, else for others of the same account. */

static uint32_t
acme_proof_first(const acme_entry_t *e, const acme_want_name_t *name,
    const uint8_t *fit, uint32_t n)
{
    uint32_t      i;
    acme_turn_t  *turn;

    turn = acme_proof_turn(e, name->name);

    if (turn != NULL) {
        return turn->n;
    }

    if (name->asked || e->account == NULL || e->account->lean >= ACME_LEAN) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        if (fit[i] - 1 == ACME_CHALLENGE_ALPN) {
            return i;
        }
    }

    return 0;
}


static int
acme_proof_shown(const acme_entry_t *e, torii_str_t name, uint32_t *i)
{
    int          wildcard;
    torii_str_t  identifier;

    identifier = name;
    wildcard = torii_str_starts(name, "*.");

    if (wildcard) {
        identifier.data += 2;
        identifier.len -= 2;
    }

    for (*i = 0; *i < e->nchallenges; (*i)++) {
        if (wildcard == (int) e->challenges[*i].wildcard
            && torii_str_eq(e->challenges[*i].identifier, identifier))
        {
            return 1;
        }
    }

    return 0;
}


/* One name that is odd does not decide for all. */

static void
acme_proof_lean(acme_account_t *a, acme_challenge_e type, int well)
{
    uint32_t  lean;

    if (a == NULL
        || (type != ACME_CHALLENGE_HTTP && type != ACME_CHALLENGE_ALPN))
    {
        return;
    }

    lean = a->lean;

    if ((type == ACME_CHALLENGE_HTTP) == (well != 0)) {
        lean += (lean < 2 * ACME_LEAN - 1);

    } else {
        lean -= (lean > 1);
    }

    if (lean != a->lean) {
        a->lean = lean;
        acme_account_save(a);
    }
}


void
acme_proof_well(acme_entry_t *e)
{
    uint32_t  i;

    for (i = 0; i < e->nchallenges; i++) {
        acme_proof_lean(e->account, e->challenges[i].type, 1);
    }

    for (i = 0; i < e->saved.nturns; i++) {
        e->saved.turns[i].held = 0;
    }
}


void
acme_proof_failed(acme_entry_t *e, const acme_want_name_t *name)
{
    int                seen;
    uint8_t            types[ACME_CHALLENGE_MAX];
    uint32_t           i, n, rest;
    acme_turn_t       *turn;
    acme_challenge_e   type;

    n = acme_proof_types(e, name, types);
    turn = acme_proof_turn_get(e, name->name);

    if (turn == NULL || n == 0) {
        return;
    }

    rest = 0;

    for (i = 0; i < n; i++) {
        rest += (types[i] - 1 != ACME_CHALLENGE_DNS_PERSIST);
    }

    seen = 0;
    type = ACME_CHALLENGE_MAX;

    if (acme_proof_shown(e, name->name, &i)) {
        type = e->challenges[i].type;
        seen = e->proofs[i].requests != 0;
    }

    if (type == ACME_CHALLENGE_DNS_PERSIST) {
        turn->wary = 1;
        return;
    }

    turn->wary = 0;

    if (seen && !turn->held) {
        turn->held = 1;
        return;
    }

    if (!seen) {
        acme_proof_lean(e->account, type, 0);
    }

    turn->held = 0;
    turn->n = rest ? (acme_proof_index(name, type, turn->n) + 1) % rest : 0;
}


/* Of a type among those that need work. */

static uint32_t
acme_proof_index(const acme_want_name_t *name, acme_challenge_e type,
    uint32_t usual)
{
    uint32_t  i, n;

    n = 0;

    for (i = 0; i < ACME_CHALLENGE_MAX && name->types[i]; i++) {

        if (!acme_proof_ok(name->name, name->types[i])
            || name->types[i] - 1 == ACME_CHALLENGE_DNS_PERSIST)
        {
            continue;
        }

        if (name->types[i] - 1 == (int) type) {
            return n;
        }

        n++;
    }

    return usual;
}


static const char *
acme_proof_verb(const acme_problem_t *problem, const acme_challenge_t *c)
{
    torii_str_t  type;

    type = torii_str(problem->type);

    if (c->type == ACME_CHALLENGE_HTTP || c->type == ACME_CHALLENGE_ALPN) {

        if (torii_str_caseeqs(type, "connection")) {
            return "could not reach";
        }

        if (torii_str_caseeqs(type, "tls")) {
            return "could not shake hands with";
        }

        if (torii_str_caseeqs(type, "dns")) {
            return "found no address for";
        }
    }

    return "was not content with";
}


void
acme_proof_words(const acme_entry_t *e, const acme_problem_t *problem,
    torii_buf_t *b)
{
    size_t             len;
    uint32_t           i;
    torii_str_t        name;
    acme_challenge_t  *c;

    name = torii_str(problem->identifier);

    if (name.len == 0 && e->want.n == 1) {
        name = e->want.names[0].name;
    }

    if (problem->fail != ACME_FAIL_VALIDATION
        || !acme_proof_shown(e, name, &i))
    {
        torii_buf_adds(b, problem->text);
        return;
    }

    c = &e->challenges[i];
    len = strlen(problem->text);

    if (len > ACME_DETAIL_MAX) {
        len = ACME_DETAIL_MAX;

        while (len && (problem->text[len] & 0xc0) == 0x80) {
            len--;
        }
    }

    torii_buf_printf(b, "the CA %s ", acme_proof_verb(problem, c));
    acme_proof_where(c, b);
    torii_buf_printf(b, ": %.*s", (int) len, problem->text);
    acme_proof_evidence(e, i, b);
    acme_proof_next(e, name, c->type, b);
}


static void
acme_proof_where(const acme_challenge_t *c, torii_buf_t *b)
{
    int  v6;

    v6 = c->ip && memchr(c->identifier.data, ':', c->identifier.len) != NULL;

    switch (c->type) {

    case ACME_CHALLENGE_HTTP:
        torii_buf_printf(b, "http://%s%.*s%s/.well-known/acme-challenge/",
                         v6 ? "[" : "", torii_str_arg(c->identifier),
                         v6 ? "]" : "");
        break;

    case ACME_CHALLENGE_ALPN:
        torii_buf_printf(b, "%s%.*s%s:443 by tls-alpn-01", v6 ? "[" : "",
                         torii_str_arg(c->identifier), v6 ? "]" : "");
        break;

    default:
        torii_buf_printf(b, "the TXT record %.*s", torii_str_arg(c->record));
    }
}


/* Who answers, too, does not tell what it saw. */

static void
acme_proof_evidence(const acme_entry_t *e, uint32_t i, torii_buf_t *b)
{
    const char          *what, *who;
    acme_challenge_e     type;
    const acme_proof_t  *proof;

    type = e->challenges[i].type;
    proof = &e->proofs[i];

    if (type != ACME_CHALLENGE_HTTP && type != ACME_CHALLENGE_ALPN) {
        return;
    }

    what = type == ACME_CHALLENGE_HTTP ? "request" : "handshake";
    who = e->acme->shared ? "this" : "the";

    if (proof->requests == 0) {
        torii_buf_printf(b, "; %s gateway saw no %s for it%s", who, what,
                         e->acme->shared ? ", others may have" : "");
        return;
    }

    torii_buf_printf(b, "; %s gateway answered %u %s%s from %u address%s%s",
                     who, proof->requests, what,
                     proof->requests == 1 ? "" : "s", proof->addresses,
                     proof->addresses == 1 ? "" : "es",
                     proof->addresses < ACME_ADDRESSES_MAX ? "" : " or more");
}


static void
acme_proof_next(const acme_entry_t *e, torii_str_t name,
    acme_challenge_e failed, torii_buf_t *b)
{
    uint8_t   types[ACME_CHALLENGE_MAX];
    uint32_t  i, n, next;

    for (i = 0; i < e->want.n; i++) {
        if (torii_str_eq(e->want.names[i].name, name)) {
            break;
        }
    }

    if (i == e->want.n) {
        return;
    }

    n = acme_proof_types(e, &e->want.names[i], types);
    next = (n > 1 && types[0] - 1 == ACME_CHALLENGE_DNS_PERSIST) ? 1 : 0;

    if (n && types[next] - 1 != (int) failed) {
        torii_buf_printf(b, "; %s is next",
                         acme_challenge_name(types[next] - 1));
    }
}
