
/*
 * A request of a driver's, and its answer: HTTP by libcurl, which keeps the
 * connection for the next one.
 */

#include <stdlib.h>
#include <curl/curl.h>
#include <openssl/crypto.h>

#include "torii_dns.h"


#define TORII_DNS_AGENT    "torii/" TORII_VERSION
#define TORII_DNS_TIMEOUT  30000       /* ms */
#define TORII_DNS_CONNECT  10000


struct torii_dns_sender_s {
    CURL               *curl;
    char                error[CURL_ERROR_SIZE];
    torii_buf_t         body;
    unsigned            large:1;
};


static void torii_dns_http(torii_dns_sender_t *s, torii_arena_t *a,
    const dnssync_request_t *request, dnssync_answer_t *answer);
static const char *torii_dns_http_set(torii_dns_sender_t *s, torii_arena_t *a,
    const dnssync_request_t *request, struct curl_slist **headers);
static const char *torii_dns_http_sign(CURL *curl, torii_arena_t *a,
    const dnssync_request_t *request);
static void torii_dns_http_head(torii_dns_sender_t *s, torii_arena_t *a,
    const dnssync_request_t *request, dnssync_answer_t *answer);
static size_t torii_dns_http_body(char *data, size_t size, size_t n,
    void *user);
static void torii_dns_message(dnssync_engine_t *engine,
    const dnssync_action_t *action);
static int torii_dns_answer(dnssync_engine_t *engine, uint32_t ticket,
    torii_str_t message, const char *error);


torii_dns_sender_t *
torii_dns_sender_create(void)
{
    torii_dns_sender_t  *s;

    s = torii_zalloc(sizeof(torii_dns_sender_t));

    (void) curl_global_init(CURL_GLOBAL_DEFAULT);

    s->curl = curl_easy_init();

    return s;
}


void
torii_dns_sender_free(torii_dns_sender_t *s)
{
    curl_easy_cleanup(s->curl);

    if (s->body.size) {
        OPENSSL_cleanse(s->body.data, s->body.size);
    }

    torii_buf_free(&s->body);
    free(s);
}


void
torii_dns_send(torii_dns_sender_t *s, dnssync_engine_t *engine,
    const dnssync_action_t *action)
{
    torii_arena_t     *a;
    dnssync_answer_t   answer;

    if (action->request->url.len == 0) {
        torii_dns_message(engine, action);
        return;
    }

    a = torii_arena_create(4096);
    memset(&answer, 0, sizeof(dnssync_answer_t));

    torii_dns_http(s, a, action->request, &answer);

    (void) dnssync_engine_answer(engine, torii_dns_now(), action->ticket,
                                 &answer);
    torii_arena_destroy(a);
}


static void
torii_dns_http(torii_dns_sender_t *s, torii_arena_t *a,
    const dnssync_request_t *request, dnssync_answer_t *answer)
{
    CURLcode             rc;
    const char          *why;
    struct curl_slist   *headers;

    headers = NULL;
    s->body.len = 0;
    s->large = 0;
    s->error[0] = '\0';

    why = s->curl ? torii_dns_http_set(s, a, request, &headers)
                  : "libcurl does not start";

    if (why == NULL) {
        rc = curl_easy_perform(s->curl);
        why = rc == CURLE_OK ? NULL
              : s->large ? "the answer is larger than 64 MB"
              : s->error[0] ? s->error : curl_easy_strerror(rc);
    }

    if (why == NULL) {
        torii_dns_http_head(s, a, request, answer);
    }

    answer->error = why;

    if (s->curl) {
        curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, NULL);
    }

    curl_slist_free_all(headers);
}


static const char *
torii_dns_http_set(torii_dns_sender_t *s, torii_arena_t *a,
    const dnssync_request_t *request, struct curl_slist **headers)
{
    CURL              *curl;
    uint32_t           i;
    const char        *text;
    struct curl_blob   ca;

    curl = s->curl;

    /* the connections stay */
    curl_easy_reset(curl);

    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, s->error);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, TORII_DNS_AGENT);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, TORII_DNS_CONNECT);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                     (long) (request->timeout ? request->timeout
                                              : TORII_DNS_TIMEOUT));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, torii_dns_http_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_URL,
                     (char *) torii_arena_str(a, request->url).data);

    for (i = 0; i < request->nheaders; i++) {
        text = (char *) torii_arena_str(a, request->headers[i]).data;
        *headers = curl_slist_append(*headers, text);
    }

    if (request->body.len) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t) request->body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data);

        /* without waiting for "100 Continue"; libcurl would sign a header that
           it does not send */

        if (request->sign.len == 0) {
            *headers = curl_slist_append(*headers, "Expect:");
        }
    }

    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headers);

    if (request->ca.len) {
        ca.data = request->ca.data;
        ca.len = request->ca.len;
        ca.flags = CURL_BLOB_COPY;
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
    }

    return torii_dns_http_sign(curl, a, request);
}


static const char *
torii_dns_http_sign(CURL *curl, torii_arena_t *a,
    const dnssync_request_t *request)
{
    const char  *text;

    if (request->login.len == 0) {
        return NULL;
    }

    text = (char *) torii_arena_str(a, request->login).data;

    if (curl_easy_setopt(curl, CURLOPT_USERPWD, text) != CURLE_OK) {
        return "libcurl does not take the login";
    }

    if (request->sign.len == 0) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);
        return NULL;
    }

    text = (char *) torii_arena_str(a, request->sign).data;

    return curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, text) == CURLE_OK
           ? NULL : "libcurl cannot sign for Amazon";
}


static void
torii_dns_http_head(torii_dns_sender_t *s, torii_arena_t *a,
    const dnssync_request_t *request, dnssync_answer_t *answer)
{
    long                 status;
    char                *type;
    uint32_t             i;
    curl_off_t           wait;
    struct curl_header  *header;

    status = 0;
    type = NULL;
    wait = 0;

    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(s->curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(s->curl, CURLINFO_RETRY_AFTER, &wait);

    answer->status = (unsigned) status;
    answer->type = torii_arena_str(a, torii_str(type ? type : ""));
    answer->retry_after = wait > 0 && wait < 86400 ? (uint32_t) wait : 0;
    answer->body.data = s->body.data;
    answer->body.len = s->body.len;

    for (i = 0;
         request->fields && i < DNSSYNC_FIELDS_MAX && request->fields[i];
         i++)
    {
        if (curl_easy_header(s->curl, request->fields[i], 0, CURLH_HEADER, -1,
                             &header)
            == CURLHE_OK)
        {
            answer->fields[i] = torii_arena_str(a, torii_str(header->value));
        }
    }
}


static size_t
torii_dns_http_body(char *data, size_t size, size_t n, void *user)
{
    torii_dns_sender_t *s = user;

    if (s->body.len + n * size > DNSSYNC_BODY_MAX) {
        s->large = 1;
        return 0;
    }

    torii_buf_add(&s->body, data, n * size);

    return n * size;
}


/* What was sent may have been done, hence it is sent once. */

static void
torii_dns_message(dnssync_engine_t *engine, const dnssync_action_t *action)
{
    const char               *why;
    torii_str_t               message;
    torii_dns_link_t          link;
    const dnssync_request_t  *request;

    request = action->request;
    message = torii_str("");

    why = torii_dns_link_open(&link, request, request->tcp || request->stream
                                              || request->tls);
    if (why == NULL) {
        why = torii_dns_link_send(&link, request->message);
    }

    if (why == NULL) {
        why = torii_dns_link_read(&link, &message);
    }

    /* RFC 1035 section 4.1.1: it was cut to the size of a datagram */

    if (why == NULL && link.fd != -1 && (message.data[2] & 0x02)) {
        torii_dns_link_close(&link);
        why = torii_dns_link_open(&link, request, 1);

        if (why == NULL) {
            why = torii_dns_link_send(&link, request->message);
        }

        if (why == NULL) {
            why = torii_dns_link_read(&link, &message);
        }
    }

    while (torii_dns_answer(engine, action->ticket, message, why)
           == TORII_AGAIN)
    {
        why = torii_dns_link_read(&link, &message);
    }

    torii_dns_link_close(&link);
}


static int
torii_dns_answer(dnssync_engine_t *engine, uint32_t ticket,
    torii_str_t message, const char *error)
{
    int               rc;
    dnssync_answer_t  answer;

    memset(&answer, 0, sizeof(dnssync_answer_t));

    answer.body = error ? torii_str("") : message;
    answer.error = error;

    rc = dnssync_engine_answer(engine, torii_dns_now(), ticket, &answer);

    return error ? TORII_OK : rc;
}
