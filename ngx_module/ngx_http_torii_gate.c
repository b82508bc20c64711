
/*
 * All that decides who may enter a route: address lists, passwords, and a login
 * or another server's word; all of them, or with "satisfy: any" one.
 */

#include "ngx_http_torii_gate.h"


static ngx_int_t ngx_http_torii_gate_all(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_int_t lists);
static ngx_int_t ngx_http_torii_gate_any(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_int_t lists);
static void ngx_http_torii_gate_strip(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_int_t ngx_http_torii_gate_login(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static void ngx_http_torii_gate_woken(ngx_http_request_t *r);


ngx_int_t
ngx_http_torii_gate(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    ngx_int_t                lists;
    const ingress_policy_t  *policy;

    policy = ctx->policy;
    lists = ngx_http_torii_access_lists(r, ctx);

    if (policy->users == 0 && policy->login == 0) {
        return (lists == NGX_OK) ? NGX_DECLINED : lists;
    }

    return policy->satisfy_any ? ngx_http_torii_gate_any(r, ctx, lists)
                               : ngx_http_torii_gate_all(r, ctx, lists);
}


static ngx_int_t
ngx_http_torii_gate_all(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_int_t lists)
{
    ngx_int_t  rc;

    if (lists != NGX_OK && lists != NGX_DECLINED) {
        return lists;
    }

    if (ctx->policy->users) {
        rc = ngx_http_torii_users(r, ctx);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_http_torii_gate_login(r, ctx);
}


/*
 * The first that is content decides.  A login is asked last, since what it
 * answers to those whom it does not know is an answer already.
 */

static ngx_int_t
ngx_http_torii_gate_any(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_int_t lists)
{
    ngx_int_t  rc;

    if (lists == NGX_OK) {
        ngx_http_torii_gate_strip(r, ctx);
        return NGX_DECLINED;
    }

    if (ctx->policy->users
        && (ctx->policy->login == 0
            || ngx_http_auth_basic_user(r) == NGX_OK))
    {
        rc = ngx_http_torii_users(r, ctx);

        if (rc == NGX_DECLINED) {
            ngx_http_torii_gate_strip(r, ctx);
        }

        if (rc != NGX_HTTP_UNAUTHORIZED || ctx->policy->login == 0) {
            return rc;
        }
    }

    return ngx_http_torii_gate_login(r, ctx);
}


/* Headers that a login would have set are nobody else's to set. */

static void
ngx_http_torii_gate_strip(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    if (ctx->policy->login) {
        ngx_http_torii_login_strip(r, ctx,
                       &ctx->table->table.logins[ctx->policy->login - 1]);
    }
}


static ngx_int_t
ngx_http_torii_gate_login(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    const ingress_table_login_t  *login;

    if (ctx->policy->login == 0) {
        return NGX_DECLINED;
    }

    login = &ctx->table->table.logins[ctx->policy->login - 1];

    return (login->type == INGRESS_LOGIN_EXTERNAL)
           ? ngx_http_torii_external(r, ctx, login)
           : ngx_http_torii_login(r, ctx);
}


/* As limit_req delays a request: phases run on from a handler of ours. */

ngx_int_t
ngx_http_torii_gate_wait(ngx_http_request_t *r, ngx_msec_t timeout)
{
    ngx_event_t  *wev;

    wev = r->connection->write;

    if (r->connection->read->ready) {
        ngx_post_event(r->connection->read, &ngx_posted_events);

    } else if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_torii_gate_woken;

    wev->delayed = 1;
    ngx_add_timer(wev, timeout);

    return NGX_AGAIN;
}


void
ngx_http_torii_gate_wake(ngx_http_request_t *r)
{
    ngx_event_t  *wev;

    wev = r->connection->write;

    if (r->write_event_handler != ngx_http_torii_gate_woken) {
        return;
    }

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    wev->delayed = 0;
    ngx_post_event(wev, &ngx_posted_events);
}


static void
ngx_http_torii_gate_woken(ngx_http_request_t *r)
{
    ngx_event_t  *wev;

    wev = r->connection->write;

    if (wev->delayed) {

        if (ngx_handle_write_event(wev, 0) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        }

        return;
    }

    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}
