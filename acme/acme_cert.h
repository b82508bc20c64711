
/*
 * X.509 as ACME needs it, over OpenSSL: requests, chains, the certificate that
 * answers tls-alpn-01, the name of a certificate for renewal information, and
 * what local issuers sign.
 */

#ifndef _ACME_CERT_H_INCLUDED_
#define _ACME_CERT_H_INCLUDED_


#include "torii_jose.h"


/* DNS names in lower case and IP addresses as text. */

typedef struct {
    const torii_str_t     *names;
    uint32_t               n;
} acme_names_t;

/*
 * A name as certificates carry it: lower case, A-labels (IDN by RFC 3490's
 * ToASCII of libidn2 is the caller's: what is not ASCII is refused here), no
 * trailing dot, at most 253 bytes, "*." only in front; or an address in
 * RFC 5952's form.  An IPv4 address inside of an IPv6 one is refused, and so
 * is a name that ends in a number: it would be read as an address.
 * TORII_ERROR: *why says what is wrong (static; NULL otherwise).
 */
int acme_name_normal(torii_arena_t *a, torii_str_t in, torii_str_t *out,
    const char **why);
int acme_name_is_ip(torii_str_t name);

/*
 * PKCS#10, DER: empty subject (or common_name), the names as SAN and nothing
 * else.  TORII_ERROR: no names, one not in normal form, or a common_name that
 * is longer than 64 bytes, an address, or not among the names.
 */
int acme_csr(EVP_PKEY *key, const acme_names_t *names,
    torii_str_t common_name, torii_buf_t *der);

/*
 * A chain as downloaded: only CERTIFICATE blocks, ten at most in 64 KB, leaf
 * first, each the issuer of the one before.  Text between them is passed over,
 * and no line of it looks like a block.  The leaf is for key and for exactly
 * these names, and is valid at now (seconds; notBefore up to an hour ahead).
 * TORII_ERROR: error says what is wrong.  names NULL: they are not compared,
 * key NULL: neither is it.
 */

typedef struct {
    int64_t                not_before;
    int64_t                not_after;
    torii_str_t            serial;      /* hex, lower case, whole octets */
    torii_str_t            issuer;      /* CN, for people; may be empty */
    torii_str_t            root;        /* issuer's CN of the last one */
    torii_str_t            ari;         /* certID, empty without an AKI */
    torii_str_t            leaf;        /* DER */
    torii_str_t           *names;       /* of the leaf, as acme_name_normal(),
                                           sorted; others are left out */
    uint32_t               n;
} acme_chain_t;

int acme_chain_read(torii_arena_t *a, torii_str_t pem, EVP_PKEY *key,
    const acme_names_t *names, int64_t now, acme_chain_t *chain,
    char error[256]);

/*
 * The same of one that was read before and has not changed since: neither its
 * key nor its signatures are looked at, and root stays empty.
 */
int acme_chain_known(torii_arena_t *a, torii_str_t pem, int64_t now,
    acme_chain_t *chain, char error[256]);

/*
 * RFC 8737: a self-signed certificate with acmeIdentifier for one name or
 * address (RFC 8738), as DER, with its own key, as DER (PKCS#8).  No wildcard.
 * sni: what a validator will send as server name, "1.0.0.127.in-addr.arpa" for
 * an address; empty: the identifier is no name.
 */
int acme_alpn_cert(torii_str_t identifier, const unsigned char digest[32],
    int64_t now, torii_buf_t *cert, torii_buf_t *key);
torii_str_t acme_alpn_sni(torii_arena_t *a, torii_str_t identifier);

/*
 * Local issuers: a certificate for key and names, PEM, signed by a CA (its own
 * chain follows, without a self-signed root) or, with ca_key NULL, by itself.
 * It ends no later than the CA's own.  ca_chain: as acme_chain_read() wants it,
 * the CA first.  TORII_ERROR: error says what is wrong.
 */
int acme_sign(EVP_PKEY *key, const acme_names_t *names,
    torii_str_t common_name, int64_t not_before, int64_t not_after,
    torii_str_t ca_chain, EVP_PKEY *ca_key, torii_buf_t *pem, char error[256]);


#endif /* _ACME_CERT_H_INCLUDED_ */
