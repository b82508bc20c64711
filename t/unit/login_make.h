
/*
 * For tests of logins: a record, out of a pool of strings, as one line of text.
 */

#ifndef _LOGIN_MAKE_H_INCLUDED_
#define _LOGIN_MAKE_H_INCLUDED_


#include "ingress_login.h"


typedef struct {
    torii_buf_t           *out;
    const unsigned char   *pool;
} login_text_t;


static inline void
login_text_word(login_text_t *t, const char *name)
{
    torii_buf_printf(t->out, "%s%s", t->out->len ? " " : "", name);
}


static inline void
login_text_str(login_text_t *t, const char *name, ingress_ref_t ref)
{
    if (ref.len) {
        login_text_word(t, name);
        torii_buf_printf(t->out, "=%.*s", (int) ref.len,
                         (const char *) t->pool + ref.off);
    }
}


static inline void
login_text_list(login_text_t *t, const char *name, ingress_ref_t list,
    int always)
{
    uint32_t              i;
    const ingress_ref_t  *ref;

    if (list.len == 0 && !always) {
        return;
    }

    login_text_word(t, name);
    torii_buf_adds(t->out, "=");

    ref = (const ingress_ref_t *) (const void *) (t->pool + list.off);

    for (i = 0; i < list.len / sizeof(ingress_ref_t); i++) {
        torii_buf_printf(t->out, "%s%.*s", i ? "," : "", (int) ref[i].len,
                         (const char *) t->pool + ref[i].off);
    }
}


static inline void
login_text_parts(login_text_t *t, ingress_ref_t list)
{
    uint32_t                        i;
    ingress_ref_t                   ref;
    const ingress_template_part_t  *part;

    part = (const ingress_template_part_t *) (const void *)
               (t->pool + list.off);

    for (i = 0; i < list.len / sizeof(ingress_template_part_t); i++) {
        ref = part[i].name.len ? part[i].name : part[i].value;
        torii_buf_printf(t->out, part[i].name.len ? "{%.*s}" : "%.*s",
                         (int) ref.len, (const char *) t->pool + ref.off);
    }
}


static inline void
login_text_template(login_text_t *t, const char *name, ingress_ref_t list)
{
    if (list.len) {
        login_text_word(t, name);
        torii_buf_adds(t->out, "=");
        login_text_parts(t, list);
    }
}


static inline void
login_text_external(login_text_t *t, const ingress_table_login_t *login)
{
    uint32_t                     i;
    const ingress_cache_rule_t  *rule;
    const ingress_login_header_t  *header;

    login_text_template(t, "url", login->url);
    login_text_str(t, "method", login->method);
    login_text_template(t, "redirect", login->request_redirect);
    login_text_template(t, "key", login->cache_key);

    rule = (const void *) (t->pool + login->cache_rules.off);

    for (i = 0; i < login->cache_rules.len / sizeof(*rule); i++) {
        login_text_word(t, "keep");
        torii_buf_printf(t->out, "=%u:%u", rule[i].status, rule[i].seconds);
    }

    header = (const void *) (t->pool + login->set_headers.off);

    for (i = 0; i < login->set_headers.len / sizeof(*header); i++) {
        login_text_str(t, "set", header[i].name);
        torii_buf_adds(t->out, ":");
        login_text_parts(t, header[i].value);
    }

    if (login->keepalive) {
        login_text_word(t, "keepalive");
        torii_buf_printf(t->out, "=%u", login->keepalive);
    }

    if (login->timeout) {
        login_text_word(t, "timeout");
        torii_buf_printf(t->out, "=%u", login->timeout);
    }
}


/* The lists that are given are there if they are empty; no NUL at the end. */

static inline void
login_text(torii_buf_t *out, const ingress_table_login_t *login,
    const unsigned char *pool)
{
    size_t        i;
    login_text_t  t;

    static const struct {
        uint32_t     flag;
        const char  *name;
    } flags[] = {
        { INGRESS_LOGIN_API, "api" },
        { INGRESS_LOGIN_OPTIONAL, "optional" },
        { INGRESS_LOGIN_SET_COOKIE, "set-cookie" },
        { INGRESS_LOGIN_METHOD, "scheme" },
        { INGRESS_LOGIN_GLOBAL, "global" },
        { INGRESS_LOGIN_RELAY, "relay" }
    };

    t.out = out;
    t.pool = pool;

    login_text_external(&t, login);
    login_text_template(&t, "signin", login->signin);
    login_text_str(&t, "param", login->signin_param);
    login_text_list(&t, "headers", login->response_headers,
                    login->flags & INGRESS_LOGIN_CHOSEN);
    login_text_list(&t, "emails", login->emails,
                    login->flags & INGRESS_LOGIN_EMAILS);
    login_text_list(&t, "domains", login->domains,
                    login->flags & INGRESS_LOGIN_DOMAINS);
    login_text_list(&t, "groups", login->groups,
                    login->flags & INGRESS_LOGIN_GROUPS);
    login_text_list(&t, "skip", login->skip, 0);
    login_text_list(&t, "write", login->write_groups, 0);

    for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (login->flags & flags[i].flag) {
            login_text_word(&t, flags[i].name);
        }
    }
}


#endif /* _LOGIN_MAKE_H_INCLUDED_ */
