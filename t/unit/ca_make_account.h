
/*
 * The CA of ca_make.h: its directory, accounts, and single requests.
 */

#ifndef _CA_MAKE_ACCOUNT_H_INCLUDED_
#define _CA_MAKE_ACCOUNT_H_INCLUDED_


#include "ca_make.h"


static inline void
ca_directory(ca_t *ca, ca_request_t *r, acme_response_t *res)
{
    torii_buf_adds(&ca->body,
                   "{\"newNonce\":\"" CA_URL "/nonce\","
                   "\"newAccount\":\"" CA_URL "/register\","
                   "\"newOrder\":\"" CA_URL "/new-order\","
                   "\"revokeCert\":\"" CA_URL "/revoke\","
                   "\"keyChange\":\"" CA_URL "/key-change\","
                   "\"xyz\":\"https://community.example/random\","
                   "\"meta\":{\"profiles\":{\"classic\":\"c\",\"short\":"
                   "\"s\"},\"website\":null");

    if (ca->is.terms) {
        torii_buf_printf(&ca->body, ",\"termsOfService\":\"%s\"", ca->is.terms);
    }

    torii_buf_adds(&ca->body, "}");

    if (!ca->is.no_ari) {
        torii_buf_adds(&ca->body, ",\"renewalInfo\":\"" CA_URL "/renewal\"");
    }

    torii_buf_adds(&ca->body, "}");

    res->status = 200;
}


static inline int
ca_bound(ca_t *ca, ca_request_t *r)
{
    unsigned             len;
    torii_str_t          payload, input, sig;
    torii_buf_t          jwk = { NULL, 0, 0 };
    torii_node_t        *header, *doc;
    unsigned char        mac[32];

    doc = torii_node_get(r->payload, "externalAccountBinding");

    if (doc == NULL
        || ca_jws(r->arena, doc, &header, &payload, &input, &sig) != TORII_OK)
    {
        return 0;
    }

    HMAC(EVP_sha256(), ca->is.eab_key, (int) strlen(ca->is.eab_key), input.data,
         input.len, mac, &len);

    torii_jwk_add(&jwk, r->jwk);
    len = torii_str_eq(payload, (torii_str_t) { jwk.len, jwk.data })
          && sig.len == 32 && memcmp(sig.data, mac, 32) == 0
          && torii_str_eqs(ca_text(header, "alg"), "HS256")
          && torii_str_eqs(ca_text(header, "kid"), "kid-1")
          && torii_str_eq(ca_text(header, "url"), r->url);

    torii_buf_free(&jwk);

    return len;
}


static inline void
ca_register(ca_t *ca, ca_request_t *r, acme_response_t *res)
{
    unsigned       i;
    torii_buf_t    thumbprint = { NULL, 0, 0 };
    torii_node_t  *only;

    (void) snprintf(ca->last_payload, sizeof(ca->last_payload), "%.*s",
                    torii_str_arg(r->text));

    for (i = 0; i < ca->naccounts; i++) {
        if (ca->accounts[i].key
            && EVP_PKEY_eq(ca->accounts[i].key, r->jwk) == 1)
        {
            break;
        }
    }

    only = torii_node_get(r->payload, "onlyReturnExisting");
    res->status = 200;

    if (i == ca->naccounts) {
        if (only && only->boolean) {
            ca_problem(ca, res, 400, "accountDoesNotExist", NULL);
            return;
        }

        if (ca->is.terms
            && (torii_node_get(r->payload, "termsOfServiceAgreed") == NULL
                || !torii_node_get(r->payload, "termsOfServiceAgreed")
                    ->boolean))
        {
            ca_fault(ca, "the terms were not agreed to");
        }

        if (ca->is.eab_key && !ca_bound(ca, r)) {
            ca_problem(ca, res, 403,
                       torii_node_get(r->payload, "externalAccountBinding")
                       ? "unauthorized" : "externalAccountRequired", NULL);
            return;
        }

        ca->naccounts++;
        ca->accounts[i].status = "valid";
        ca->accounts[i].key = r->jwk;
        EVP_PKEY_up_ref(r->jwk);

        torii_jwk_thumbprint(&thumbprint, r->jwk);
        (void) snprintf(ca->accounts[i].thumbprint, 64, "%.*s",
                        (int) thumbprint.len, (char *) thumbprint.data);
        torii_buf_free(&thumbprint);

        res->status = 201;
    }

    (void) snprintf(ca->location, sizeof(ca->location), "/account/%u", i);
    torii_buf_printf(&ca->body, "{\"status\":\"%s\",\"contact\":null}",
                     ca->accounts[i].status);
}


static inline void
ca_revoke(ca_t *ca, ca_request_t *r, acme_response_t *res)
{
    if (ca->revoked_by) {
        ca_problem(ca, res, 400, "alreadyRevoked", NULL);
        return;
    }

    if (ca_text(r->payload, "certificate").len == 0
        || torii_node_get(r->payload, "reason") == NULL)
    {
        ca_fault(ca, "the revocation is of nothing");
    }

    ca->revoked_by = r->jwk ? r->jwk : ca->accounts[r->account].key;
    EVP_PKEY_up_ref(ca->revoked_by);

    res->status = 200;
}


static inline void
ca_key_change(ca_t *ca, ca_request_t *r, acme_response_t *res)
{
    unsigned             i;
    EVP_PKEY            *key, *old;
    torii_str_t          payload, input, sig;
    torii_node_t        *header, *doc;
    torii_tree_error_t   error;

    key = NULL;
    old = NULL;

    if (ca_jws(r->arena, r->payload, &header, &payload, &input, &sig)
        == TORII_OK
        && torii_tree_json(r->arena, payload, &ca_limits, &doc, &error)
           == TORII_OK)
    {
        key = ca_jwk(r->arena, torii_node_get(header, "jwk"));
        old = ca_jwk(r->arena, torii_node_get(doc, "oldKey"));
    }

    if (key == NULL || old == NULL || header->n != 3
        || !ca_verify(key, input, sig)
        || !torii_str_eq(ca_text(header, "url"), r->url)
        || ca_find_account(ca, ca_text(doc, "account")) != r->account
        || EVP_PKEY_eq(old, ca->accounts[r->account].key) != 1)
    {
        ca_fault(ca, "the change of the key is wrong");
        ca_problem(ca, res, 400, "malformed", NULL);
        EVP_PKEY_free(key);
        EVP_PKEY_free(old);
        return;
    }

    EVP_PKEY_free(old);

    for (i = 0; i < ca->naccounts; i++) {
        if (ca->accounts[i].key && EVP_PKEY_eq(ca->accounts[i].key, key) == 1)
        {
            ca_problem(ca, res, 409, "conflict", NULL);
            (void) snprintf(ca->location, sizeof(ca->location),
                            CA_URL "/account/%u", i);
            EVP_PKEY_free(key);
            return;
        }
    }

    EVP_PKEY_free(ca->accounts[r->account].key);
    ca->accounts[r->account].key = key;

    res->status = 200;
}


static inline void
ca_account(ca_t *ca, ca_request_t *r, acme_response_t *res)
{
    (void) snprintf(ca->last_payload, sizeof(ca->last_payload), "%.*s",
                    torii_str_arg(r->text));

    if (torii_str_eqs(ca_text(r->payload, "status"), "deactivated")) {
        ca->accounts[r->account].status = "deactivated";
    }

    torii_buf_printf(&ca->body, "{\"status\":\"%s\"}",
                     ca->accounts[r->account].status);
    res->status = 200;
}


static inline void
ca_renewal(ca_t *ca, ca_request_t *r, acme_response_t *res)
{
    torii_buf_adds(&ca->body, "{\"suggestedWindow\":{\"start\":"
                   "\"2026-12-01T00:00:00Z\",\"end\":"
                   "\"2026-12-02T00:00:00Z\"}}");
    (void) snprintf(ca->retry_after, sizeof(ca->retry_after), "21600");

    if (!torii_str_eqs(r->path, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")) {
        ca_fault(ca, "another certificate was asked about");
    }

    res->status = 200;
}


#endif /* _CA_MAKE_ACCOUNT_H_INCLUDED_ */
