
/*
 * What of an identity becomes a session.
 */

#include <stdio.h>

#include "oauth2_exchange_machine.h"


static oauth2_fail_e
oauth2_exchange_groups(const oauth2_exchange_t *x,
    const oauth2_projection_t *projection, oauth2_session_t *s)
{
    uint32_t  i;

    for (i = 0; i < x->id.ngroups; i++) {

        if (!oauth2_projection_has(projection, x->id.groups[i])) {
            continue;
        }

        if (s->ngroups == OAUTH2_GROUPS_MAX) {
            return OAUTH2_SESSION_SIZE;
        }

        s->groups[s->ngroups++] = x->id.groups[i];
    }

    return OAUTH2_OK;
}


/* Scalars as text; lists of them joined by commas, maps not at all. */

static torii_str_t
oauth2_exchange_text(torii_arena_t *a, const torii_node_t *node)
{
    uint32_t     i;
    torii_str_t  text;

    if (node == NULL || node->type == TORII_NODE_NULL
        || node->type == TORII_NODE_MAP)
    {
        return torii_str("");
    }

    if (node->type != TORII_NODE_LIST) {
        return torii_str_has_control(node->text) ? torii_str("") : node->text;
    }

    text = torii_str("");

    for (i = 0; i < node->n && i < OAUTH2_GROUPS_MAX; i++) {

        if (node->items[i]->type != TORII_NODE_STRING
            || torii_str_has_control(node->items[i]->text)
            || memchr(node->items[i]->text.data, ',',
                      node->items[i]->text.len))
        {
            continue;
        }

        text = torii_arena_printf(a, "%.*s%s%.*s", torii_str_arg(text),
                                  text.len ? "," : "",
                                  torii_str_arg(node->items[i]->text));

        if (text.len > OAUTH2_OPEN_MAX) {
            break;
        }
    }

    return text;
}


static oauth2_fail_e
oauth2_exchange_claims(const oauth2_exchange_t *x,
    const oauth2_projection_t *projection, oauth2_session_t *s)
{
    uint32_t             i;
    torii_str_t          text;
    const torii_node_t  *node;

    for (i = 0; i < projection->nclaims; i++) {

        node = oauth2_claim_find(x->id.claims, projection->claims[i]);

        if (node == NULL) {
            node = oauth2_claim_find(x->id.userinfo, projection->claims[i]);
        }

        text = oauth2_exchange_text(x->arena, node);

        if (text.len == 0) {
            continue;
        }

        if (s->nclaims == OAUTH2_CLAIMS_MAX || text.len > OAUTH2_OPEN_MAX
            || projection->claims[i].len > 255)
        {
            return OAUTH2_SESSION_SIZE;
        }

        s->names[s->nclaims] = projection->claims[i];
        s->values[s->nclaims++] = text;
    }

    return OAUTH2_OK;
}


static oauth2_fail_e
oauth2_exchange_identity(const oauth2_exchange_t *x, int64_t now,
    const oauth2_lifetime_t *life, const oauth2_projection_t *projection,
    oauth2_session_t *s)
{
    oauth2_fail_e  rc;

    s->ngroups = 0;
    s->nclaims = 0;
    s->group_list = torii_str("");

    if (x->old == NULL) {
        s->created = now;
        s->expires = now + life->absolute;
        s->sid = x->id.sid;

    } else if (x->id.sid.len) {
        s->sid = x->id.sid;
    }

    s->sub = x->id.sub;
    s->email = x->id.email;
    s->verified = x->id.verified;
    s->user = x->id.user;
    s->name = x->id.name;
    s->projection = oauth2_projection_hash(projection, x->provider->id);

    rc = oauth2_exchange_groups(x, projection, s);

    return rc == OAUTH2_OK ? oauth2_exchange_claims(x, projection, s) : rc;
}


oauth2_fail_e
oauth2_exchange_session(const oauth2_exchange_t *x, int64_t now,
    const oauth2_lifetime_t *life, const oauth2_projection_t *projection,
    unsigned keep, oauth2_session_t *s)
{
    oauth2_fail_e  rc;

    if (x->step != OAUTH2_EXCHANGE_DONE) {
        return x->fail;
    }

    if (x->old) {
        oauth2_session_copy(s, x->old);

    } else {
        memset(s, 0, sizeof(oauth2_session_t));
    }

    /* a refresh without new claims leaves those that are there */

    if (x->id.sub.len) {
        rc = oauth2_exchange_identity(x, now, life, projection, s);

        if (rc != OAUTH2_OK) {
            return rc;
        }
    }

    s->seen = now;
    s->token_issued = now;
    s->token_expires = x->grant.expires_in ? now + x->grant.expires_in : 0;
    s->refresh_dead = 0;

    /* RFC 6749 section 6: none is the one there was */

    if (!(keep & OAUTH2_KEEP_REFRESH)) {
        s->refresh_token = torii_str("");

    } else if (x->grant.refresh_token.len) {
        s->refresh_token = x->grant.refresh_token;
    }

    s->access_token = (keep & OAUTH2_KEEP_ACCESS) ? x->grant.access_token
                                                  : torii_str("");

    if (!(keep & OAUTH2_KEEP_ID)) {
        s->id_token = torii_str("");

    } else if (x->grant.id_token.len) {
        s->id_token = x->grant.id_token;
    }

    return OAUTH2_OK;
}
