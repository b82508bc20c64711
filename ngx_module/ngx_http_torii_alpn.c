
/*
 * tls-alpn-01 (RFC 8737): a client that offers the protocol "acme-tls/1", and
 * no other, validates the name that it sends.  It gets the certificate of the
 * name's challenge, and the connection is closed after the handshake; a name
 * without a challenge is refused, and never spoken to in another protocol.
 *
 * nginx chooses the virtual server, and what it asks of clients, in callbacks
 * of its own.  None of that may stand in the way of a validator: so its
 * handshake goes on in a context that has nothing of any server.
 */

#include "ngx_http_torii_ssl.h"
#include "ingress_challenge.h"


#define NGX_HTTP_TORII_ACME       "acme-tls/1"
#define NGX_HTTP_TORII_ACME_LIST  "\x00\x0b\x0a" NGX_HTTP_TORII_ACME


static ngx_uint_t ngx_http_torii_alpn_offered(ngx_ssl_conn_t *ssl);
static ngx_int_t ngx_http_torii_alpn_answer(ngx_ssl_conn_t *ssl,
    ngx_torii_table_t *table, const ingress_table_challenge_t *challenge,
    ngx_connection_t *c);
static ngx_int_t ngx_http_torii_alpn_switch(ngx_ssl_conn_t *ssl);
static int ngx_http_torii_alpn_servername(ngx_ssl_conn_t *ssl, int *al,
    void *arg);
static int ngx_http_torii_alpn_select(ngx_ssl_conn_t *ssl,
    const unsigned char **out, unsigned char *outlen, const unsigned char *in,
    unsigned int inlen, void *arg);


/* Of the process, made by the master once: it depends on no configuration. */

static SSL_CTX  *ngx_http_torii_alpn_ctx;


ngx_int_t
ngx_http_torii_alpn_init(ngx_conf_t *cf)
{
    SSL_CTX  *ctx;

    if (ngx_http_torii_alpn_ctx) {
        return NGX_OK;
    }

    ctx = SSL_CTX_new(TLS_server_method());
    if (ctx == NULL) {
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0, "SSL_CTX_new() failed");
        return NGX_ERROR;
    }

    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_tlsext_servername_callback(ctx,
                                           ngx_http_torii_alpn_servername);
    SSL_CTX_set_alpn_select_cb(ctx, ngx_http_torii_alpn_select, NULL);

    ngx_http_torii_alpn_ctx = ctx;

    return NGX_OK;
}


ngx_int_t
ngx_http_torii_alpn_hello(ngx_ssl_conn_t *ssl,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_str_t sni, int *al)
{
    ngx_connection_t                 *c;
    const ingress_table_challenge_t  *challenge;

    if (!ngx_http_torii_alpn_offered(ssl)) {
        return NGX_DECLINED;
    }

    c = ngx_ssl_get_connection(ssl);
    challenge = NULL;

    /* not over QUIC: RFC 8737 section 3 */

    if (table && sni.len && c->type == SOCK_STREAM) {
        challenge = ingress_challenge_alpn(&table->table, sni);
    }

    ngx_http_torii_challenge_count(tmcf, INGRESS_CHALLENGE_ALPN,
                                   challenge != NULL, sni, c->sockaddr);

    if (challenge == NULL) {
        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "torii: no tls-alpn-01 challenge for the name of this "
                      "handshake");
        *al = SSL_AD_NO_APPLICATION_PROTOCOL;
        return NGX_ERROR;
    }

    if (ngx_http_torii_alpn_answer(ssl, table, challenge, c) != NGX_OK) {
        *al = SSL_AD_INTERNAL_ERROR;
        return NGX_ERROR;
    }

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "torii: tls-alpn-01 challenge for \"%*s\" is answered",
                  sni.len, sni.data);

    return NGX_OK;
}


/* RFC 8737 section 3: the list of the extension has this name only. */

static ngx_uint_t
ngx_http_torii_alpn_offered(ngx_ssl_conn_t *ssl)
{
    size_t                len;
    const unsigned char  *p;

    return SSL_client_hello_get0_ext(ssl,
                         TLSEXT_TYPE_application_layer_protocol_negotiation,
                         &p, &len)
           == 1
           && len == sizeof(NGX_HTTP_TORII_ACME_LIST) - 1
           && ngx_memcmp(p, NGX_HTTP_TORII_ACME_LIST, len) == 0;
}


static ngx_int_t
ngx_http_torii_alpn_answer(ngx_ssl_conn_t *ssl, ngx_torii_table_t *table,
    const ingress_table_challenge_t *challenge, ngx_connection_t *c)
{
    ngx_int_t               rc;
    ngx_http_torii_pair_t  *pair;

    pair = ngx_http_torii_pair_parse(
                          ingress_table_str(&table->table, challenge->value),
                          ingress_table_str(&table->table, challenge->key),
                          c->log);
    if (pair == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    if (ngx_http_torii_alpn_switch(ssl) != NGX_OK
        || SSL_use_cert_and_key(ssl, pair->leaf, pair->key, NULL, 1) != 1)
    {
        ngx_ssl_error(NGX_LOG_ERR, c->log, 0,
                      "torii: a tls-alpn-01 challenge cannot be answered");
        rc = NGX_ERROR;
    }

    ngx_http_torii_pair_free(pair);

    /* nginx closes such a connection before it reads a request */

    c->close = 1;

    return rc;
}


/*
 * SSL_set_SSL_CTX() brings the callbacks and forgets the certificates; what the
 * connection took over from the server when it was made is set one by one.  No
 * session is of this id context, so that none is resumed.
 */

static ngx_int_t
ngx_http_torii_alpn_switch(ngx_ssl_conn_t *ssl)
{
    static const unsigned char  id[] = NGX_HTTP_TORII_ACME;

    if (SSL_set_SSL_CTX(ssl, ngx_http_torii_alpn_ctx) == NULL
        || SSL_set_session_id_context(ssl, id, sizeof(id) - 1) != 1
        || SSL_set_min_proto_version(ssl, TLS1_2_VERSION) != 1
        || SSL_set_max_proto_version(ssl, 0) != 1
        || SSL_set_num_tickets(ssl, 0) != 1
        || SSL_set_max_early_data(ssl, 0) != 1)
    {
        return NGX_ERROR;
    }

    SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    SSL_clear_options(ssl, SSL_OP_NO_TLSv1_2|SSL_OP_NO_TLSv1_3);
    SSL_set_options(ssl, SSL_OP_NO_TICKET);

    return NGX_OK;
}


/* Without one OpenSSL calls the server's, which would change all back. */

static int
ngx_http_torii_alpn_servername(ngx_ssl_conn_t *ssl, int *al, void *arg)
{
    return SSL_TLSEXT_ERR_OK;
}


static int
ngx_http_torii_alpn_select(ngx_ssl_conn_t *ssl, const unsigned char **out,
    unsigned char *outlen, const unsigned char *in, unsigned int inlen,
    void *arg)
{
    /* the only one offered, unless a second ClientHello offers others */

    if (inlen != sizeof(NGX_HTTP_TORII_ACME)
        || ngx_memcmp(in, NGX_HTTP_TORII_ACME_LIST + 2, inlen) != 0)
    {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }

    *out = in + 1;
    *outlen = in[0];

    return SSL_TLSEXT_ERR_OK;
}
