
/*
 * DNS over TLS (RFC 7858, RFC 9103): who the server is, is always verified, by
 * its name, or by its address where that is all we have.
 */

#include "ngx_torii_dns_exchange.h"

#include <openssl/x509v3.h>


static ngx_int_t ngx_torii_dns_tls_name(ngx_torii_dns_exchange_t *e);
static ssize_t ngx_torii_dns_tls_result(ngx_torii_dns_exchange_t *e, int n);
static void ngx_torii_dns_tls_error(ngx_torii_dns_exchange_t *e, int error);


SSL_CTX *
ngx_torii_dns_tls_context(X509_STORE *store)
{
    SSL_CTX  *ctx;

    ctx = SSL_CTX_new(TLS_client_method());

    if (ctx == NULL) {
        ERR_clear_error();
        return NULL;
    }

    (void) SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set1_cert_store(ctx, store);

    return ctx;
}


ngx_int_t
ngx_torii_dns_tls_open(ngx_torii_dns_exchange_t *e)
{
    static const u_char  alpn[] = "\3dot";

    e->ssl = SSL_new(e->tls);

    if (e->ssl == NULL || SSL_set_fd(e->ssl, e->connection->fd) != 1
        || SSL_set_alpn_protos(e->ssl, alpn, sizeof(alpn) - 1) != 0
        || ngx_torii_dns_tls_name(e) != NGX_OK)
    {
        ERR_clear_error();
        return NGX_ERROR;
    }

    SSL_set_connect_state(e->ssl);

    return NGX_OK;
}


static ngx_int_t
ngx_torii_dns_tls_name(ngx_torii_dns_exchange_t *e)
{
    int                rc;
    X509_VERIFY_PARAM  *param;

    if (e->host) {
        return SSL_set1_host(e->ssl, e->host) == 1
               && SSL_set_tlsext_host_name(e->ssl, e->host) == 1
               ? NGX_OK : NGX_ERROR;
    }

    param = SSL_get0_param(e->ssl);

    if (e->sockaddr.sockaddr.sa_family == AF_INET) {
        rc = X509_VERIFY_PARAM_set1_ip(param,
                       (u_char *) &e->sockaddr.sockaddr_in.sin_addr, 4);
    } else {
        rc = X509_VERIFY_PARAM_set1_ip(param,
                       (u_char *) &e->sockaddr.sockaddr_in6.sin6_addr, 16);
    }

    return rc == 1 ? NGX_OK : NGX_ERROR;
}


void
ngx_torii_dns_tls_close(ngx_torii_dns_exchange_t *e)
{
    SSL_free(e->ssl);
    e->ssl = NULL;
}


ssize_t
ngx_torii_dns_tls_send(ngx_torii_dns_exchange_t *e, u_char *p, size_t len)
{
    ERR_clear_error();

    return ngx_torii_dns_tls_result(e, SSL_write(e->ssl, p, (int) len));
}


ssize_t
ngx_torii_dns_tls_recv(ngx_torii_dns_exchange_t *e, u_char *p, size_t len)
{
    ERR_clear_error();

    return ngx_torii_dns_tls_result(e, SSL_read(e->ssl, p, (int) len));
}


static ssize_t
ngx_torii_dns_tls_result(ngx_torii_dns_exchange_t *e, int n)
{
    int  error;

    if (n > 0) {
        return n;
    }

    error = SSL_get_error(e->ssl, n);

    switch (error) {

    case SSL_ERROR_WANT_READ:
        e->writes = 0;
        return NGX_AGAIN;

    case SSL_ERROR_WANT_WRITE:
        e->writes = 1;
        return NGX_AGAIN;

    case SSL_ERROR_ZERO_RETURN:
        return 0;

    default:
        ngx_torii_dns_tls_error(e, error);
        return NGX_ERROR;
    }
}


static void
ngx_torii_dns_tls_error(ngx_torii_dns_exchange_t *e, int error)
{
    long         verify;
    const char  *text;

    verify = SSL_get_verify_result(e->ssl);
    text = ERR_reason_error_string(ERR_peek_last_error());

    if (verify != X509_V_OK) {
        text = X509_verify_cert_error_string(verify);

    } else if (text == NULL) {
        text = error == SSL_ERROR_SYSCALL ? "the connection ended" : "failed";
    }

    (void) ngx_snprintf((u_char *) e->error, sizeof(e->error) - 1,
                        "TLS: %s%Z", text);

    ERR_clear_error();
}
