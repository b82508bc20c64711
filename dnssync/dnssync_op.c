
/*
 * The life of an operation, whatever the provider: what it is given and gives
 * out lives in its arena, a request in one that is new each time, and what it
 * says for people holds no secret.
 */

#define _GNU_SOURCE

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <openssl/crypto.h>

#include "dnssync_http.h"


#define DNSSYNC_OP_ARENA    (16 * 1024)
#define DNSSYNC_OP_GROW     64
#define DNSSYNC_OP_PATIENCE 60         /* s, when throttled and not told */
#define DNSSYNC_OP_SECRET   4          /* shorter ones are words of a text */


typedef struct {
    dnssync_op_t     op;           /* the first member */
    torii_arena_t   *request;
    torii_buf_t      body;
    uint32_t         sets_size;
    uint32_t         zones_size;
    unsigned         over:1;
} dnssync_op_own_t;


static dnssync_op_step_e dnssync_op_step(dnssync_op_t *op,
    dnssync_op_step_e step);
static void dnssync_op_wanted(dnssync_op_t *op);
static void dnssync_op_wipe(dnssync_op_own_t *own);
static void dnssync_op_text(const dnssync_op_t *op,
    char text[DNSSYNC_ERROR_MAX], const char *fmt, va_list args);
static void dnssync_op_hide(char *text, torii_str_t secret);
static void *dnssync_op_grow(torii_arena_t *a, void *list, uint32_t n,
    uint32_t *size, size_t item);


static const char *const  dnssync_trouble_words[] = {
    "none", "down", "throttled", "denied", "answer", "setting"
};


const char *
dnssync_trouble_word(dnssync_trouble_e trouble)
{
    return (unsigned) trouble < DNSSYNC_TROUBLES
           ? dnssync_trouble_words[trouble] : "";
}


dnssync_op_t *
dnssync_op_create(dnssync_account_t *account, dnssync_op_e what)
{
    dnssync_op_own_t  *own;

    own = torii_zalloc(sizeof(dnssync_op_own_t));

    own->op.account = account;
    own->op.what = what;
    own->op.arena = torii_arena_create(DNSSYNC_OP_ARENA);
    own->op.state = torii_arena_zalloc(own->op.arena, account->driver->state);

    return &own->op;
}


void
dnssync_op_free(dnssync_op_t *op)
{
    dnssync_op_own_t  *own;

    if (op == NULL) {
        return;
    }

    own = (dnssync_op_own_t *) op;

    if (op->account->driver->end != NULL) {
        op->account->driver->end(op);
    }

    dnssync_op_wipe(own);
    torii_buf_free(&own->body);
    torii_arena_destroy(op->arena);
    free(own);
}


/* Headers and bodies may be secrets. */

static void
dnssync_op_wipe(dnssync_op_own_t *own)
{
    uint32_t            i;
    dnssync_request_t  *r;

    r = &own->op.request;

    if (own->request != NULL) {
        for (i = 0; i < r->nheaders; i++) {
            OPENSSL_cleanse(r->headers[i].data, r->headers[i].len);
        }
    }

    if (own->body.len) {
        OPENSSL_cleanse(own->body.data, own->body.len);
        own->body.len = 0;
    }

    torii_arena_destroy(own->request);
    own->request = NULL;

    memset(r, 0, sizeof(dnssync_request_t));
}


dnssync_op_step_e
dnssync_op_go(dnssync_op_t *op, uint64_t now)
{
    dnssync_op_own_t  *own;

    own = (dnssync_op_own_t *) op;

    if (own->over) {
        return op->trouble ? DNSSYNC_OP_FAILED : DNSSYNC_OP_DONE;
    }

    if (op->results == NULL) {
        op->results = torii_arena_zalloc(op->arena, (op->nedits + 1)
                                                 * sizeof(dnssync_result_t));
    }

    op->now = now;

    return dnssync_op_step(op, op->account->driver->go(op));
}


dnssync_op_step_e
dnssync_op_answer(dnssync_op_t *op, uint64_t now,
    const dnssync_answer_t *answer)
{
    dnssync_op_own_t  *own;

    own = (dnssync_op_own_t *) op;

    if (own->over) {
        return op->trouble ? DNSSYNC_OP_FAILED : DNSSYNC_OP_DONE;
    }

    op->now = now;

    if (op->request.url.len && answer->body.len > DNSSYNC_BODY_MAX) {
        return dnssync_op_step(op, dnssync_op_fail(op,
                                   DNSSYNC_TROUBLE_ANSWER, "the answer is "
                                   "larger than %u MB",
                                   DNSSYNC_BODY_MAX / (1024 * 1024)));
    }

    return dnssync_op_step(op, op->account->driver->answer(op, answer));
}


static dnssync_op_step_e
dnssync_op_step(dnssync_op_t *op, dnssync_op_step_e step)
{
    dnssync_op_own_t  *own;

    own = (dnssync_op_own_t *) op;

    if (step == DNSSYNC_OP_FAILED || step == DNSSYNC_OP_DONE) {
        own->over = 1;
        dnssync_op_wipe(own);
    }

    if (step == DNSSYNC_OP_FAILED && op->trouble == DNSSYNC_TROUBLE_NONE) {
        (void) dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "failed, and does "
                               "not say why");
    }

    if (step == DNSSYNC_OP_DONE && op->what == DNSSYNC_OP_ZONES) {
        dnssync_op_wanted(op);
    }

    return step;
}


/* Of the zones that there are, those that the operator names. */

static void
dnssync_op_wanted(dnssync_op_t *op)
{
    uint32_t  i, n;

    for (i = 0, n = 0; i < op->nzones; i++) {
        if (dnssync_account_wants(op->account, &op->zones[i])) {
            op->zones[n++] = op->zones[i];
        }
    }

    op->nzones = n;
}


dnssync_op_step_e
dnssync_op_fail(dnssync_op_t *op, dnssync_trouble_e trouble, const char *fmt,
    ...)
{
    va_list  args;

    op->trouble = trouble;

    va_start(args, fmt);
    dnssync_op_text(op, op->error, fmt, args);
    va_end(args);

    if (trouble == DNSSYNC_TROUBLE_THROTTLED && op->until <= op->now) {
        op->until = op->now + DNSSYNC_OP_PATIENCE * 1000;
    }

    return DNSSYNC_OP_FAILED;
}


dnssync_op_step_e
dnssync_op_fail_http(dnssync_op_t *op, const dnssync_answer_t *answer,
    const char *where)
{
    unsigned           status;
    torii_str_t        text;
    dnssync_trouble_e  trouble;

    status = answer->status;

    if (status == 0) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_DOWN, "%s: %s", where,
                               answer->error ? answer->error : "no answer");
    }

    if (answer->retry_after) {
        op->until = op->now + (uint64_t) answer->retry_after * 1000;
    }

    text = dnssync_http_error(op->arena, answer->body);

    if (status < 300) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "%s: the answer is "
                               "not what was asked for (status %u)", where,
                               status);
    }

    if (status < 400) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "%s: status %u, "
                               "which leads elsewhere: is the URL right?",
                               where, status);
    }

    switch (status) {

    case 401:
    case 403:
        trouble = DNSSYNC_TROUBLE_DENIED;
        break;

    case 404:
    case 405:
    case 501:
        trouble = DNSSYNC_TROUBLE_SETTING;
        break;

    case 408:
    case 425:
        trouble = DNSSYNC_TROUBLE_DOWN;
        break;

    case 429:
        trouble = DNSSYNC_TROUBLE_THROTTLED;
        break;

    default:
        trouble = (status >= 500) ? DNSSYNC_TROUBLE_DOWN
                                  : DNSSYNC_TROUBLE_ANSWER;
    }

    if (status == 503 && answer->retry_after) {
        trouble = DNSSYNC_TROUBLE_THROTTLED;
    }

    return dnssync_op_fail(op, trouble, "%s: status %u%s%.*s", where, status,
                           text.len ? ", " : "", torii_str_arg(text));
}


dnssync_op_step_e
dnssync_op_unsupported(dnssync_op_t *op)
{
    return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "the provider \"%s\" "
                           "has no way to do this", op->account->driver->name);
}


int
dnssync_http_ok(const dnssync_answer_t *answer)
{
    return answer->status >= 200 && answer->status < 300;
}


dnssync_request_t *
dnssync_op_http(dnssync_op_t *op, const char *method, const char *fmt, ...)
{
    int                 n;
    va_list             args;
    torii_str_t         s;
    dnssync_op_own_t   *own;
    dnssync_request_t  *r;

    own = (dnssync_op_own_t *) op;
    r = &op->request;

    dnssync_op_wipe(own);
    own->request = torii_arena_create(1024);

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    s.len = (n < 0) ? 0 : (size_t) n;
    s.data = torii_arena_alloc(own->request, s.len + 1);

    va_start(args, fmt);
    (void) vsnprintf((char *) s.data, s.len + 1, fmt, args);
    va_end(args);

    r->method = method;
    r->url = s;
    r->timeout = DNSSYNC_HTTP_TIMEOUT;
    r->cost = 1;
    r->ca = dnssync_account_setting(op->account, "ca");
    r->tls = r->ca.len != 0;

    dnssync_op_header(op, "User-Agent: Torii/%s", TORII_VERSION);

    return r;
}


/* A value with a line's end would be another header: then there is none. */

void
dnssync_op_header(dnssync_op_t *op, const char *fmt, ...)
{
    int                 n;
    va_list             args;
    torii_str_t         s;
    dnssync_op_own_t   *own;
    dnssync_request_t  *r;

    own = (dnssync_op_own_t *) op;
    r = &op->request;

    if (r->nheaders == DNSSYNC_HEADERS_MAX) {
        return;
    }

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    s.len = (n < 0) ? 0 : (size_t) n;
    s.data = torii_arena_alloc(own->request, s.len + 1);

    va_start(args, fmt);
    (void) vsnprintf((char *) s.data, s.len + 1, fmt, args);
    va_end(args);

    if (!torii_str_has_control(s)) {
        r->headers[r->nheaders++] = s;
    }
}


torii_buf_t *
dnssync_op_body(dnssync_op_t *op)
{
    return &((dnssync_op_own_t *) op)->body;
}


dnssync_op_step_e
dnssync_op_send(dnssync_op_t *op)
{
    torii_buf_t  *b;

    b = dnssync_op_body(op);

    op->request.body.data = b->data;
    op->request.body.len = b->len;

    return DNSSYNC_OP_SEND;
}


dnssync_rrset_t *
dnssync_op_set(dnssync_op_t *op)
{
    dnssync_op_own_t  *own;

    own = (dnssync_op_own_t *) op;

    op->sets = dnssync_op_grow(op->arena, op->sets, op->nsets,
                               &own->sets_size, sizeof(dnssync_rrset_t));

    return &op->sets[op->nsets++];
}


dnssync_found_t *
dnssync_op_zone(dnssync_op_t *op)
{
    dnssync_op_own_t  *own;

    own = (dnssync_op_own_t *) op;

    op->zones = dnssync_op_grow(op->arena, op->zones, op->nzones,
                                &own->zones_size, sizeof(dnssync_found_t));

    return &op->zones[op->nzones++];
}


/* Room for one more, which is zeroed. */

static void *
dnssync_op_grow(torii_arena_t *a, void *list, uint32_t n, uint32_t *size,
    size_t item)
{
    void  *more;

    if (n >= *size) {
        *size = n ? 2 * n : DNSSYNC_OP_GROW;
        more = torii_arena_alloc(a, *size * item);

        if (n) {
            memcpy(more, list, n * item);
        }

        list = more;
    }

    memset((unsigned char *) list + n * item, 0, item);

    return list;
}


void
dnssync_op_result(dnssync_op_t *op, uint32_t edit, dnssync_outcome_e what,
    const char *fmt, ...)
{
    char               text[DNSSYNC_ERROR_MAX];
    va_list            args;
    dnssync_result_t  *r;

    if (op->results == NULL || edit >= op->nedits
        || op->results[edit].what != DNSSYNC_OUTCOME_LATER)
    {
        return;
    }

    r = &op->results[edit];
    r->what = what;

    if (what == DNSSYNC_OUTCOME_DONE || what == DNSSYNC_OUTCOME_LATER) {
        return;
    }

    va_start(args, fmt);
    dnssync_op_text(op, text, fmt, args);
    va_end(args);

    r->text = torii_arena_str(op->arena, torii_str(text));
}


void
dnssync_op_results(dnssync_op_t *op, uint32_t from, uint32_t to,
    dnssync_outcome_e what, const char *text)
{
    uint32_t  i;

    for (i = from; i < to; i++) {
        dnssync_op_result(op, i, what, "%s", text);
    }
}


/* Cut to its length at last: a part of a secret would not be found. */

static void
dnssync_op_text(const dnssync_op_t *op, char text[DNSSYNC_ERROR_MAX],
    const char *fmt, va_list args)
{
    char  whole[8 * DNSSYNC_ERROR_MAX], *p;

    (void) vsnprintf(whole, sizeof(whole), fmt, args);

    dnssync_op_redact(op, whole);

    for (p = whole; *p; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7f) {
            *p = ' ';
        }
    }

    (void) snprintf(text, DNSSYNC_ERROR_MAX, "%.*s", DNSSYNC_ERROR_MAX - 1,
                    whole);
}


/* Providers and libraries repeat what they were sent. */

void
dnssync_op_redact(const dnssync_op_t *op, char *text)
{
    size_t                    i;
    const dnssync_account_t  *account;
    const dnssync_setting_t  *s;

    account = op->account;
    s = account->driver->settings;

    for (i = 0; s != NULL && s[i].name != NULL; i++) {
        if (s[i].secret) {
            dnssync_op_hide(text, dnssync_account_setting(account, s[i].name));
        }
    }

    dnssync_op_hide(text, dnssync_account_setting(account,
                                                  "txt-encrypt-aes-key"));
    dnssync_op_hide(text, account->token);
}


static void
dnssync_op_hide(char *text, torii_str_t secret)
{
    char    *p, *last;
    size_t   len;

    if (secret.len < DNSSYNC_OP_SECRET) {
        return;
    }

    len = strlen(text);

    for (p = text; len >= secret.len
                   && (last = memmem(p, len, secret.data, secret.len)) != NULL;
         p = last)
    {
        memcpy(last, "***", 3);
        last += 3;
        memmove(last, last + secret.len - 3,
                strlen(last + secret.len - 3) + 1);
        len = strlen(last);
    }
}
