
/*
 * Solvers of dns-01, as the objects of cert-manager have them: who writes their
 * records.  rfc2136 is a server; others are accounts of dnssync_engine.h, in an
 * engine of their own that never leads, and so does nothing but challenges.
 *
 * A solver without credentials that can be used, and webhook solvers of the
 * group "torii", leave it to an account that DNS is kept by: the one that has
 * the zone, or the one that solverName names as "NAMESPACE/SECRET".
 */

#include "ngx_torii_acme.h"
#include "ngx_torii_dnssync.h"


#define NGX_TORII_SOLVER_GROUP  "torii"


static ngx_int_t ngx_torii_solver_server(ngx_torii_acme_t *a,
    torii_arena_t *arena, const ingress_object_t *issuer,
    const ingress_dns_t *dns, ngx_torii_dns_server_t *server,
    char error[256]);
static ngx_int_t ngx_torii_solver_account(ngx_torii_acme_t *a,
    torii_arena_t *arena, const ingress_object_t *issuer,
    const ingress_dns_t *dns, torii_str_t name, ngx_torii_solver_t *solver,
    char error[256]);
static ngx_int_t ngx_torii_solver_kept(ngx_torii_acme_t *a,
    torii_arena_t *arena, const ingress_dns_t *dns,
    ngx_torii_solver_t *solver);

static void ngx_torii_solver_handler(ngx_event_t *ev);


static const char  *ngx_torii_solver_tsig[] = {
    "HMACMD5", "HMACSHA1", "HMACSHA224", "HMACSHA256", "HMACSHA384",
    "HMACSHA512"
};


/* Without files: an engine that leads nothing has nothing to keep. */

ngx_int_t
ngx_torii_solvers_init(ngx_torii_acme_t *a)
{
    ngx_torii_dnssync_t    *d;
    dnssync_engine_conf_t   conf;

    d = ngx_pcalloc(a->helper->pool, sizeof(ngx_torii_dnssync_t));

    if (d == NULL
        || ngx_array_init(&d->servers, a->helper->pool, 1,
                          sizeof(ngx_torii_dnssync_at_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    d->helper = a->helper;
    d->log = a->log;
    d->curl = a->curl;
    d->dns = a->dns;

    d->dummy.fd = (ngx_socket_t) -1;
    d->dummy.data = d;

    ngx_torii_helper_event(a->helper, &d->pump, ngx_torii_solver_handler);
    d->pump.data = &d->dummy;

    ngx_torii_dnssync_trusts_init(d);
    ngx_torii_dnssync_challenges_init(d);

    ngx_memzero(&conf, sizeof(dnssync_engine_conf_t));

    conf.seed = ngx_torii_publish_us() ^ (uint64_t) ngx_pid << 32;
    conf.instance = torii_str("challenges");
    conf.observe = 1;

    d->engine = dnssync_engine_create(&conf, ngx_torii_publish_ms());

    a->solvers = d;

    return NGX_OK;
}


ngx_int_t
ngx_torii_solver_find(ngx_torii_acme_t *a, torii_arena_t *arena,
    torii_str_t name, ngx_torii_solver_t *solver, char error[256])
{
    uint64_t                 index;
    torii_str_t              left, word;
    const ingress_solver_t  *s;
    const ingress_object_t  *issuer;

    ngx_memzero(solver, sizeof(ngx_torii_solver_t));

    left = name;
    (void) torii_str_next(&left, "#", &word);

    issuer = ngx_torii_issuer_find(a, word);

    if (issuer == NULL || left.data == NULL
        || torii_str_uint(left, 10000, &index) != TORII_OK
        || index >= issuer->u.issuer.acme.nsolvers)
    {
        (void) snprintf(error, 256, "its solver is gone");
        return NGX_ERROR;
    }

    s = &issuer->u.issuer.acme.solvers[index];

    solver->follow = s->cname_follow;

    if (s->dns.provider == INGRESS_DNS_RFC2136) {
        return ngx_torii_solver_server(a, arena, issuer, &s->dns,
                                       &solver->server, error);
    }

    if (s->nameservers.n) {
        solver->server.nameserver = torii_arena_str(arena,
                                                    s->nameservers.elts[0]);
    }

    return ngx_torii_solver_account(a, arena, issuer, &s->dns, name, solver,
                                    error);
}


static ngx_int_t
ngx_torii_solver_server(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer, const ingress_dns_t *dns,
    ngx_torii_dns_server_t *server, char error[256])
{
    torii_str_t  secret;

    server->nameserver = torii_arena_str(arena, dns->nameserver);
    server->tcp = dns->tcp;

    if (dns->tsig_secret.name.len == 0) {
        return NGX_OK;
    }

    secret = ngx_torii_issuer_secret(a, issuer, dns->tsig_secret.name,
                                     dns->tsig_secret.key);

    if (secret.len == 0
        || torii_base64_decode(arena, secret, &server->secret) != TORII_OK)
    {
        (void) snprintf(error, 256, "Secret \"%.*s\" has no TSIG key in "
                        "base64 under \"%.*s\"",
                        torii_str_arg(dns->tsig_secret.name),
                        torii_str_arg(dns->tsig_secret.key));
        return NGX_ERROR;
    }

    server->key_name = torii_arena_str(arena, dns->tsig_key_name);
    server->algorithm = torii_str(
                                ngx_torii_solver_tsig[dns->tsig_algorithm]);

    return NGX_OK;
}


static ngx_int_t
ngx_torii_solver_account(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer, const ingress_dns_t *dns,
    torii_str_t name, ngx_torii_solver_t *solver, char error[256])
{
    dnssync_account_t  *account;

    /* the engine has it since the last look; this is to tell what is wrong */

    account = ngx_torii_solver_make(a, arena, issuer, dns, name, error);

    if (account) {
        dnssync_account_free(account);

        solver->dnssync = a->solvers;
        solver->account = torii_arena_str(arena, name);
        return NGX_OK;
    }

    return ngx_torii_solver_kept(a, arena, dns, solver);
}


/* NGX_ERROR: no account keeps DNS at all, and error is what it was. */

static ngx_int_t
ngx_torii_solver_kept(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_dns_t *dns, ngx_torii_solver_t *solver)
{
    torii_str_t  name;

    if (a->helper->dnssync == NULL || a->helper->dnssync->engine == NULL) {
        return NGX_ERROR;
    }

    solver->dnssync = a->helper->dnssync;
    solver->account = torii_str("");

    if (torii_str_eqs(ngx_torii_solver_field(dns, "groupName"),
                      NGX_TORII_SOLVER_GROUP))
    {
        name = ngx_torii_solver_field(dns, "solverName");

        if (name.len && memchr(name.data, '/', name.len)) {
            solver->account = torii_arena_str(arena, name);
        }
    }

    return NGX_OK;
}


void
ngx_torii_solvers_begin(ngx_torii_acme_t *a)
{
    dnssync_engine_begin(a->solvers->engine);
}


void
ngx_torii_solvers_tell(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer)
{
    char                          error[256];
    uint32_t                      i;
    torii_str_t                   name, of;
    dnssync_account_t            *account;
    const ingress_solver_t       *s;
    const ingress_issuer_acme_t  *acme;

    acme = &issuer->u.issuer.acme;
    of = ngx_torii_issuer_name(arena, issuer);

    for (i = 0; i < acme->nsolvers; i++) {
        s = &acme->solvers[i];

        if (s->unusable || s->type != INGRESS_SOLVER_DNS01) {
            continue;
        }

        name = torii_arena_printf(arena, "%.*s#%u", torii_str_arg(of), i);

        account = ngx_torii_solver_make(a, arena, issuer, &s->dns, name,
                                        error);
        if (account) {
            dnssync_engine_account(a->solvers->engine, ngx_torii_publish_ms(),
                                   account);
        }
    }
}


void
ngx_torii_solvers_end(ngx_torii_acme_t *a)
{
    dnssync_engine_end(a->solvers->engine, ngx_torii_publish_ms());

    ngx_torii_dnssync_wake(a->solvers);
}


static void
ngx_torii_solver_handler(ngx_event_t *ev)
{
    uint32_t              wait;
    ngx_connection_t     *c;
    dnssync_action_t      action;
    ngx_torii_dnssync_t  *d;

    c = ev->data;
    d = c->data;

    for ( ;; ) {
        ngx_memzero(&action, sizeof(dnssync_action_t));

        if (dnssync_engine_next(d->engine, ngx_torii_publish_ms(), &action,
                                &wait)
            != TORII_OK)
        {
            ngx_torii_helper_arm(&d->pump, ngx_min(ngx_max(wait, 1), 60000));
            return;
        }

        if (action.what == DNSSYNC_DO_SEND) {
            ngx_torii_dnssync_send(d, &action);

        } else if (action.what == DNSSYNC_DO_CHALLENGED) {
            ngx_torii_dnssync_challenged(d, &action);
        }
    }
}


void
ngx_torii_solvers_beat(ngx_torii_acme_t *a)
{
    ngx_torii_dnssync_trusts_sweep(a->solvers);
}
