
/*
 * Logout.
 */

#include "oauth2_form.h"
#include "oauth2_logout.h"


static int
oauth2_logout_same(torii_str_t url, torii_str_t self)
{
    torii_str_t  origin;

    if (self.len == 0 || url.len < self.len) {
        return 0;
    }

    origin.data = url.data;
    origin.len = self.len;

    return torii_str_caseeq(origin, self)
           && (url.len == self.len || url.data[self.len] == '/');
}


oauth2_logout_e
oauth2_logout_check(const oauth2_leaver_t *leaver)
{
    if (torii_str_eqs(leaver->method, "POST")) {
        return (leaver->origin.len == leaver->self.len
                && oauth2_logout_same(leaver->origin, leaver->self))
               ? OAUTH2_LOGOUT_DO : OAUTH2_LOGOUT_REFUSE;
    }

    if (!torii_str_eqs(leaver->method, "GET")) {
        return OAUTH2_LOGOUT_REFUSE;
    }

    /* "none": typed in, or from a bookmark */

    if (leaver->fetch_site.len) {
        return (torii_str_eqs(leaver->fetch_site, "same-origin")
                || torii_str_eqs(leaver->fetch_site, "none"))
               ? OAUTH2_LOGOUT_DO : OAUTH2_LOGOUT_ASK;
    }

    return oauth2_logout_same(leaver->referer, leaver->self)
           ? OAUTH2_LOGOUT_DO : OAUTH2_LOGOUT_ASK;
}


int
oauth2_logout_url(const oauth2_provider_t *p, torii_str_t hint,
    torii_str_t back, torii_buf_t *url)
{
    if (p->endpoints.end_session.len == 0) {
        return TORII_DECLINED;
    }

    torii_buf_add_str(url, p->endpoints.end_session);

    if (hint.len) {
        oauth2_url_add(url, "id_token_hint", hint);
    }

    oauth2_url_add(url, "client_id", p->client_id);

    if (back.len) {
        oauth2_url_add(url, "post_logout_redirect_uri", back);
    }

    return TORII_OK;
}


int
oauth2_logout_revoke(torii_arena_t *a, const oauth2_provider_t *p,
    torii_str_t token, torii_buf_t *body, oauth2_request_t *req)
{
    if (p->endpoints.revocation.len == 0 || token.len == 0) {
        return TORII_DECLINED;
    }

    memset(req, 0, sizeof(oauth2_request_t));

    (void) torii_buf_room(body, 3 * token.len + 4096);

    oauth2_form_add(body, "token", token);
    oauth2_form_add(body, "token_type_hint", torii_str("refresh_token"));
    oauth2_client_show(a, p, 0, body, &req->authorization);

    req->method = "POST";
    req->url = p->endpoints.revocation;
    req->accept = "application/json";
    req->content_type = "application/x-www-form-urlencoded";
    req->body.data = body->data;
    req->body.len = body->len;

    return TORII_OK;
}


oauth2_fail_e
oauth2_logout_backchannel(torii_arena_t *a, const oauth2_provider_t *p,
    const torii_jwks_t *keys, torii_str_t body, int64_t now,
    oauth2_token_t *token)
{
    torii_str_t     text;
    oauth2_form_t   form;
    oauth2_trust_t  trust;

    if (body.len > OAUTH2_BODY_MAX
        || oauth2_form_read(a, body, &form) != TORII_OK
        || oauth2_form_get(&form, "logout_token", &text) != TORII_OK)
    {
        return OAUTH2_PARAMETER;
    }

    oauth2_provider_trust(p, &trust);

    return oauth2_token_logout(a, &trust, keys, text, now, token);
}
