
/*
 * Access tokens of Google: a service account's assertion (RFC 7523) is signed
 * and exchanged, or the machine's metadata server gives one, and tells which
 * project it is in.
 */

#include "dnssync_google.h"


#define DNSSYNC_GOOGLE_LIFE      3600
#define DNSSYNC_GOOGLE_SCOPE                                                  \
    "https://www.googleapis.com/auth/ndev.clouddns.readwrite"
#define DNSSYNC_GOOGLE_GRANT  "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define DNSSYNC_GOOGLE_METADATA  "http://metadata.google.internal"
#define DNSSYNC_GOOGLE_MACHINE   "/computeMetadata/v1/"


static const char *dnssync_google_account(dnssync_account_t *account,
    dnssync_google_t *data, torii_str_t json);
static int dnssync_google_word(torii_str_t s);
static int dnssync_google_assertion(dnssync_op_t *op, torii_buf_t *b);


const char *
dnssync_google_init(dnssync_account_t *account)
{
    const char        *why;
    torii_str_t        json;
    dnssync_google_t  *data;

    data = torii_arena_zalloc(account->arena, sizeof(dnssync_google_t));
    account->data = data;

    data->project = dnssync_account_setting(account, "google-project");
    json = dnssync_account_setting(account, "google-service-account");

    if (json.len) {
        why = dnssync_google_account(account, data, json);

        if (why != NULL) {
            return why;
        }
    }

    if (data->project.len && !dnssync_google_word(data->project)) {
        return "\"google-project\" is no id of a project";
    }

    if (dnssync_account_url(account, "api-url", "https://dns.googleapis.com",
                            0, &data->url) != NULL)
    {
        return "\"api-url\" is not a URL that begins with https://";
    }

    if (dnssync_account_url(account, "google-metadata-url",
                            DNSSYNC_GOOGLE_METADATA, 1, &data->metadata)
        != NULL)
    {
        return "\"google-metadata-url\" is no URL";
    }

    return NULL;
}


void
dnssync_google_cleanup(dnssync_account_t *account)
{
    dnssync_google_t  *data;

    data = account->data;
    EVP_PKEY_free(data->key);
    data->key = NULL;
}


static const char *
dnssync_google_account(dnssync_account_t *account, dnssync_google_t *data,
    torii_str_t json)
{
    torii_str_t    url;
    torii_node_t  *doc;

    doc = dnssync_http_json(account->arena, json);

    if (!torii_str_eqs(dnssync_json_str(doc, "type"), "service_account")) {
        return "\"google-service-account\" is no key of a service account in "
               "JSON";
    }

    data->key = torii_key_read(dnssync_json_str(doc, "private_key"));

    if (data->key == NULL || !torii_str_eqs(torii_str(torii_jws_alg(data->key)
                                            ? torii_jws_alg(data->key) : ""),
                                            "RS256"))
    {
        return "\"google-service-account\" has no \"private_key\" that can "
               "sign (RSA, from 2048 bits on)";
    }

    data->email = dnssync_json_str(doc, "client_email");
    data->key_id = dnssync_json_str(doc, "private_key_id");

    if (data->email.len == 0) {
        return "\"google-service-account\" has no \"client_email\"";
    }

    if (data->project.len == 0) {
        data->project = dnssync_json_str(doc, "project_id");

        if (data->project.len == 0) {
            return "\"google-project\" is not set, and the key has no "
                   "\"project_id\"";
        }
    }

    url = dnssync_json_str(doc, "token_uri");

    if (dnssync_account_url(account, "google-token-url",
                            url.len ? (const char *) url.data
                                    : "https://oauth2.googleapis.com/token",
                            0, &data->token_url) != NULL)
    {
        return "the URL of tokens does not begin with https://";
    }

    return NULL;
}


/* What may stand in a path. */

static int
dnssync_google_word(torii_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (!(s.data[i] >= 'a' && s.data[i] <= 'z')
            && !(s.data[i] >= '0' && s.data[i] <= '9') && s.data[i] != '-'
            && s.data[i] != '.' && s.data[i] != ':')
        {
            return 0;
        }
    }

    return s.len != 0 && s.len < 128;
}


dnssync_op_step_e
dnssync_google_ask(dnssync_op_t *op)
{
    torii_buf_t              jwt;
    torii_buf_t             *body;
    torii_str_t              s;
    dnssync_google_t        *data;
    dnssync_google_state_t  *st;

    st = op->state;
    data = op->account->data;

    if (data->key == NULL) {
        st->locating = data->project.len == 0;
        st->asking = !st->locating;

        (void) dnssync_op_http(op, "GET", "%.*s" DNSSYNC_GOOGLE_MACHINE "%s",
                               torii_str_arg(data->metadata),
                               st->locating
                               ? "project/project-id"
                               : "instance/service-accounts/default/token");
        dnssync_op_header(op, "Metadata-Flavor: Google");

        return dnssync_op_send(op);
    }

    st->asking = 1;
    memset(&jwt, 0, sizeof(torii_buf_t));

    if (dnssync_google_assertion(op, &jwt) != TORII_OK) {
        torii_buf_free(&jwt);
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "%s: the key of "
                               "the service account cannot sign",
                               dnssync_cloud_where(op));
    }

    (void) dnssync_op_http(op, "POST", "%.*s",
                           torii_str_arg(data->token_url));
    dnssync_op_header(op, "Content-Type: application/x-www-form-urlencoded");

    s.data = jwt.data;
    s.len = jwt.len;
    body = dnssync_op_body(op);
    dnssync_cloud_form(body, "grant_type", torii_str(DNSSYNC_GOOGLE_GRANT));
    dnssync_cloud_form(body, "assertion", s);

    torii_buf_free(&jwt);

    return dnssync_op_send(op);
}


/* The compact form (RFC 7515 section 7.1), put together from the other one. */

static int
dnssync_google_assertion(dnssync_op_t *op, torii_buf_t *b)
{
    int                rc;
    uint64_t           now;
    torii_str_t        header, payload, json;
    torii_buf_t        head, claims, jws;
    torii_node_t      *doc;
    torii_arena_t     *a;
    dnssync_google_t  *data;

    data = op->account->data;
    now = op->now / 1000;

    memset(&head, 0, sizeof(torii_buf_t));
    memset(&claims, 0, sizeof(torii_buf_t));
    memset(&jws, 0, sizeof(torii_buf_t));

    torii_buf_adds(&head, "{\"alg\":\"RS256\",\"typ\":\"JWT\"");

    if (data->key_id.len) {
        torii_buf_adds(&head, ",\"kid\":");
        torii_buf_add_json(&head, data->key_id);
    }

    torii_buf_adds(&head, "}");

    torii_buf_adds(&claims, "{\"iss\":");
    torii_buf_add_json(&claims, data->email);
    torii_buf_adds(&claims, ",\"scope\":\"" DNSSYNC_GOOGLE_SCOPE
                   "\",\"aud\":");
    torii_buf_add_json(&claims, data->token_url);
    torii_buf_printf(&claims, ",\"iat\":%llu,\"exp\":%llu}",
                     (unsigned long long) now,
                     (unsigned long long) now + DNSSYNC_GOOGLE_LIFE);

    header.data = head.data;
    header.len = head.len;
    payload.data = claims.data;
    payload.len = claims.len;

    rc = torii_jws_sign(&jws, data->key, header, payload);

    if (rc == TORII_OK) {
        a = torii_arena_create(8192);
        json.data = jws.data;
        json.len = jws.len;
        doc = dnssync_http_json(a, json);

        header = dnssync_json_str(doc, "protected");
        payload = dnssync_json_str(doc, "payload");
        json = dnssync_json_str(doc, "signature");

        torii_buf_printf(b, "%.*s.%.*s.%.*s", torii_str_arg(header),
                         torii_str_arg(payload), torii_str_arg(json));
        torii_arena_destroy(a);
    }

    torii_buf_free(&head);
    torii_buf_free(&claims);
    torii_buf_free(&jws);

    return rc;
}


int
dnssync_google_answered(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    torii_str_t              project;
    dnssync_google_t        *data;
    dnssync_google_state_t  *st;

    st = op->state;
    data = op->account->data;

    if (!dnssync_http_ok(answer)) {
        (void) dnssync_op_fail_http(op, answer, data->key
                                    ? "a token of the service account"
                                    : "a token of this machine");

        /* "invalid_grant" is a matter of the key, or of the clock */

        if (answer->status == 400) {
            op->trouble = DNSSYNC_TROUBLE_DENIED;
        }

        return TORII_ERROR;
    }

    if (st->locating) {
        project = torii_str_trim(answer->body);

        if (dnssync_google_word(project)) {
            if (data->project.len == 0) {
                data->project = torii_arena_str(op->account->arena, project);
            }

            st->locating = 0;
            return TORII_OK;
        }

    } else if (dnssync_cloud_token_read(op, answer) == TORII_OK) {
        st->asking = 0;
        return TORII_OK;
    }

    (void) dnssync_google_senseless(op);

    return TORII_ERROR;
}
