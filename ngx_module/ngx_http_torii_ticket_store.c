
/*
 * What lies in Redis: sessions under the hash of their id, instants of
 * revocation under what they revoke, and things that were done once.  All of it
 * goes by itself when its time is over.
 */

#include "ngx_http_torii_ticket.h"


static void ngx_http_torii_ticket_key(torii_buf_t *b, const char *what,
    const u_char *id);
static ngx_torii_redis_op_t *ngx_http_torii_ticket_put(
    ngx_http_torii_provider_t *p, const oauth2_bind_t *bind,
    const oauth2_ticket_t *t, const oauth2_session_t *s, const char *when,
    ngx_torii_redis_pt handler, void *data);
static void ngx_http_torii_ticket_text(torii_buf_t *command,
    torii_buf_t *text);
static void ngx_http_torii_ticket_name(torii_buf_t *command,
    const oauth2_ticket_t *t);
static int64_t ngx_http_torii_ticket_left(ngx_http_torii_provider_t *p,
    const oauth2_session_t *s);


/* "torii:once:0123…" as an argument */

static void
ngx_http_torii_ticket_key(torii_buf_t *b, const char *what, const u_char *id)
{
    u_char       hex[32];
    torii_buf_t  key;

    ngx_memzero(&key, sizeof(torii_buf_t));
    ngx_hex_dump(hex, (u_char *) id, 16);

    torii_buf_printf(&key, "torii:%s:", what);
    torii_buf_add(&key, hex, 32);

    ngx_http_torii_ticket_text(b, &key);
}


/* The text is emptied. */

static void
ngx_http_torii_ticket_text(torii_buf_t *command, torii_buf_t *text)
{
    torii_str_t  s;

    s.data = text->data;
    s.len = text->len;

    torii_resp_add(command, s);
    torii_buf_free(text);
}


static void
ngx_http_torii_ticket_name(torii_buf_t *command, const oauth2_ticket_t *t)
{
    torii_buf_t  name;

    ngx_memzero(&name, sizeof(torii_buf_t));

    oauth2_ticket_name(t, "torii:session:", &name);
    ngx_http_torii_ticket_text(command, &name);
}


void
ngx_http_torii_ticket_marks(ngx_http_torii_provider_t *p,
    const oauth2_session_t *s, u_char marks[OAUTH2_TICKET_MARKS][16])
{
    ngx_torii_login_id("sub", p->id, s->sub, marks[0]);
    ngx_torii_login_id("sid", p->id, s->sid, marks[1]);
    ngx_http_torii_session_id(s, p->id, marks[2]);
}


ngx_torii_redis_op_t *
ngx_http_torii_ticket_create(ngx_http_torii_provider_t *p,
    const oauth2_bind_t *bind, const oauth2_session_t *s, torii_buf_t *value,
    ngx_torii_redis_pt handler, void *data)
{
    oauth2_ticket_t        t;
    ngx_torii_redis_op_t  *op;

    if (oauth2_ticket_make(&t) != TORII_OK) {
        return NULL;
    }

    ngx_http_torii_ticket_marks(p, s, t.marks);

    op = NULL;

    if (oauth2_ticket_seal(p->ring, bind, &t, value) == TORII_OK) {
        op = ngx_http_torii_ticket_put(p, bind, &t, s, "NX", handler, data);
    }

    ngx_explicit_memzero(&t, sizeof(oauth2_ticket_t));

    return op;
}


ngx_torii_redis_op_t *
ngx_http_torii_ticket_replace(ngx_http_torii_provider_t *p,
    const oauth2_bind_t *bind, const oauth2_ticket_t *t,
    const oauth2_session_t *s, ngx_torii_redis_pt handler, void *data)
{
    return ngx_http_torii_ticket_put(p, bind, t, s, "XX", handler, data);
}


/* Seconds that it may lie there unused. */

static int64_t
ngx_http_torii_ticket_left(ngx_http_torii_provider_t *p,
    const oauth2_session_t *s)
{
    int64_t  left;

    left = s->expires - ngx_time();

    return (p->settings.life.idle && p->settings.life.idle < left)
           ? p->settings.life.idle : left;
}


static ngx_torii_redis_op_t *
ngx_http_torii_ticket_put(ngx_http_torii_provider_t *p,
    const oauth2_bind_t *bind, const oauth2_ticket_t *t,
    const oauth2_session_t *s, const char *when, ngx_torii_redis_pt handler,
    void *data)
{
    int64_t       left;
    torii_buf_t   value, command;

    left = ngx_http_torii_ticket_left(p, s);

    if (left <= 0) {
        return NULL;
    }

    ngx_memzero(&value, sizeof(torii_buf_t));
    ngx_memzero(&command, sizeof(torii_buf_t));

    if (oauth2_ticket_store(t, bind, s, &value) != OAUTH2_OK) {
        torii_buf_free(&value);
        return NULL;
    }

    torii_resp_begin(&command, 6);
    torii_resp_adds(&command, "SET");
    ngx_http_torii_ticket_name(&command, t);
    ngx_http_torii_ticket_text(&command, &value);
    torii_resp_adds(&command, "EX");
    torii_resp_add_number(&command, left);
    torii_resp_adds(&command, when);

    return ngx_torii_redis_send(p->redis, &command, handler, data);
}


void
ngx_http_torii_ticket_extend(ngx_http_torii_provider_t *p,
    const oauth2_ticket_t *t, const oauth2_session_t *s)
{
    int64_t      left;
    torii_buf_t  command;

    left = ngx_http_torii_ticket_left(p, s);

    if (left <= 0 || p->settings.life.idle == 0) {
        return;
    }

    ngx_memzero(&command, sizeof(torii_buf_t));

    torii_resp_begin(&command, 3);
    torii_resp_adds(&command, "EXPIRE");
    ngx_http_torii_ticket_name(&command, t);
    torii_resp_add_number(&command, left);

    (void) ngx_torii_redis_send(p->redis, &command, NULL, NULL);
}


void
ngx_http_torii_ticket_drop(ngx_http_torii_provider_t *p,
    const oauth2_ticket_t *t)
{
    torii_buf_t  command;

    ngx_memzero(&command, sizeof(torii_buf_t));

    torii_resp_begin(&command, 2);
    torii_resp_adds(&command, "DEL");
    ngx_http_torii_ticket_name(&command, t);

    (void) ngx_torii_redis_send(p->redis, &command, NULL, NULL);
}


ngx_torii_redis_op_t *
ngx_http_torii_ticket_get(ngx_http_torii_provider_t *p,
    const oauth2_ticket_t *t, ngx_torii_redis_pt handler, void *data)
{
    ngx_uint_t   i;
    torii_buf_t  command;

    ngx_memzero(&command, sizeof(torii_buf_t));

    torii_resp_begin(&command, 2 + OAUTH2_TICKET_MARKS);
    torii_resp_adds(&command, "MGET");
    ngx_http_torii_ticket_name(&command, t);

    for (i = 0; i < OAUTH2_TICKET_MARKS; i++) {
        ngx_http_torii_ticket_key(&command, "revoked", t->marks[i]);
    }

    return ngx_torii_redis_send(p->redis, &command, handler, data);
}


void
ngx_http_torii_ticket_revoke(ngx_http_torii_provider_t *p,
    const u_char id[16], time_t until)
{
    time_t       left;
    torii_buf_t  command;

    if (p->redis == NULL) {
        return;
    }

    left = until - ngx_time();
    ngx_memzero(&command, sizeof(torii_buf_t));

    torii_resp_begin(&command, 5);
    torii_resp_adds(&command, "SET");
    ngx_http_torii_ticket_key(&command, "revoked", id);
    torii_resp_add_number(&command, ngx_time());
    torii_resp_adds(&command, "EX");
    torii_resp_add_number(&command, left > 1 ? left : 1);

    (void) ngx_torii_redis_send(p->redis, &command, NULL, NULL);
}


ngx_torii_redis_op_t *
ngx_http_torii_ticket_once(ngx_http_torii_provider_t *p, const char *what,
    const u_char id[16], ngx_msec_t time, ngx_torii_redis_pt handler,
    void *data)
{
    torii_buf_t  command;

    ngx_memzero(&command, sizeof(torii_buf_t));

    torii_resp_begin(&command, 6);
    torii_resp_adds(&command, "SET");
    ngx_http_torii_ticket_key(&command, what, id);
    torii_resp_adds(&command, "1");
    torii_resp_adds(&command, "PX");
    torii_resp_add_number(&command, (int64_t) time);
    torii_resp_adds(&command, "NX");

    return ngx_torii_redis_send(p->redis, &command, handler, data);
}


void
ngx_http_torii_ticket_release(ngx_http_torii_provider_t *p, const char *what,
    const u_char id[16])
{
    torii_buf_t  command;

    ngx_memzero(&command, sizeof(torii_buf_t));

    torii_resp_begin(&command, 2);
    torii_resp_adds(&command, "DEL");
    ngx_http_torii_ticket_key(&command, what, id);

    (void) ngx_torii_redis_send(p->redis, &command, NULL, NULL);
}
