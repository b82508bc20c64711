
/*
 * The policy of a route: every annotation's value as a typed field.  The same
 * records are built from annotations, cached beside their Ingress, and written
 * to the routing table, where a worker reads them in place: so they hold no
 * pointers, only offsets into a string pool, and no padding that could differ.
 *
 * Units: sizes in bytes, times in milliseconds.  Switches are 0 or 1.
 */

#ifndef _INGRESS_POLICY_H_INCLUDED_
#define _INGRESS_POLICY_H_INCLUDED_


#include "torii.h"


/* A string or a packed array in the pool beside the records; len in bytes. */

typedef struct {
    uint32_t           off;
    uint32_t           len;
} ingress_ref_t;


/* An array of these is a list of networks; IPv4 as ::ffff:a.b.c.d. */

typedef struct {
    uint8_t            addr[16];
    uint8_t            bits;      /* 0 to 128, of the mapped form */
    uint8_t            pad[3];
} ingress_network_t;

/* An array of these in the pool: allowed origins, FastCGI parameters. */

typedef struct {
    ingress_ref_t      name;      /* FastCGI: parameter; CORS: scheme */
    ingress_ref_t      value;     /* FastCGI: value; CORS: host[:port] */
    uint32_t           wildcard;  /* CORS: value had a leading "*." cut off */
} ingress_entry_t;


typedef enum {
    INGRESS_HTTP = 0,
    INGRESS_HTTPS,
    INGRESS_AUTO_HTTP,
    INGRESS_GRPC,
    INGRESS_GRPCS,
    INGRESS_FCGI
} ingress_protocol_e;

/* Bits of policy.deny: why all requests of the route are answered 503. */

#define INGRESS_DENY_ANNOTATION    0x01    /* a security setting is invalid */
#define INGRESS_DENY_UNSUPPORTED   0x02    /* one that is not enforced */
#define INGRESS_DENY_REFERENCE     0x04    /* a named object is missing */

/* Bits of policy.next_upstream, in the order of nginx's own table of names. */

#define INGRESS_NEXT_ERROR            0x0001
#define INGRESS_NEXT_TIMEOUT          0x0002
#define INGRESS_NEXT_INVALID_HEADER   0x0004
#define INGRESS_NEXT_HTTP_500         0x0008
#define INGRESS_NEXT_HTTP_502         0x0010
#define INGRESS_NEXT_HTTP_503         0x0020
#define INGRESS_NEXT_HTTP_504         0x0040
#define INGRESS_NEXT_HTTP_403         0x0080
#define INGRESS_NEXT_HTTP_404         0x0100
#define INGRESS_NEXT_HTTP_429         0x0200
#define INGRESS_NEXT_NON_IDEMPOTENT   0x0400
#define INGRESS_NEXT_OFF              0x0800

#define INGRESS_TLSV1_2   0x01
#define INGRESS_TLSV1_3   0x02


typedef struct {
    uint32_t           deny;

    /* routing and rewriting */
    uint8_t            use_regex;
    uint8_t            rewrite_log;
    uint8_t            service_upstream;
    uint8_t            protocol;            /* ingress_protocol_e */
    ingress_ref_t      rewrite_target;      /* len 0: none */
    ingress_ref_t      upstream_vhost;
    ingress_ref_t      forwarded_prefix;

    /* redirects */
    uint8_t            ssl_redirect;
    uint8_t            force_ssl_redirect;
    uint8_t            preserve_trailing_slash;
    uint8_t            use_port_in_redirects;
    uint8_t            relative_redirects;
    uint8_t            no_tls_redirect;     /* set by compile from the path */
    uint16_t           redirect_code;       /* 0: no redirect */
    ingress_ref_t      redirect;            /* permanent or temporal target */

    /* towards the backend */
    uint8_t            http_version;        /* 10 or 11 */
    uint8_t            connection_header;   /* 0 none, 1 close, 2 keep-alive */
    uint8_t            request_buffering;
    uint8_t            buffering;
    uint32_t           buffers_number;
    uint32_t           buffer_size;
    uint32_t           busy_buffers_size;   /* 0: twice buffer_size */
    uint64_t           max_temp_file_size;  /* 0: never spill */
    uint64_t           body_size;           /* 0: unlimited */
    uint64_t           body_buffer_size;
    uint32_t           connect_timeout;
    uint32_t           read_timeout;
    uint32_t           send_timeout;
    uint32_t           next_upstream;
    uint32_t           next_upstream_timeout;   /* 0: unlimited */
    uint32_t           next_upstream_tries;     /* 0: unlimited */
    ingress_ref_t      redirect_from;       /* len 0: off */
    ingress_ref_t      redirect_to;
    ingress_ref_t      cookie_domain_from;  /* len 0: off */
    ingress_ref_t      cookie_domain_to;
    ingress_ref_t      cookie_path_from;    /* len 0: off */
    ingress_ref_t      cookie_path_to;
    ingress_ref_t      fastcgi_index;
    ingress_ref_t      fastcgi_params;      /* ingress_entry_t[], by compile */

    /* TLS to the backend; the files themselves are in the table's tls record */
    uint8_t            ssl_verify;
    uint8_t            ssl_server_name;
    uint8_t            ssl_protocols;       /* INGRESS_TLSV1_2 … */
    uint8_t            ssl_pad;
    uint32_t           ssl_verify_depth;
    ingress_ref_t      ssl_name;
    ingress_ref_t      ssl_ciphers;
    uint32_t           tls;                 /* 1 + index of the tls record, by
                                               compile; 0: no secret */

    /* CORS */
    uint8_t            cors;
    uint8_t            cors_any_origin;
    uint8_t            cors_credentials;
    uint8_t            cors_null_origin;    /* the literal origin "null" */
    uint32_t           cors_max_age;        /* seconds */
    uint32_t           cors_pad;
    ingress_ref_t      cors_origins;        /* ingress_entry_t[] */
    ingress_ref_t      cors_methods;
    ingress_ref_t      cors_headers;
    ingress_ref_t      cors_expose;

    /* access lists: ingress_network_t[]; len 0: no list */
    ingress_ref_t      allow;
    ingress_ref_t      deny_list;

    /* who may enter (ingress_login.h), by compile */
    uint32_t           login;               /* 1 + index; 0: none */
    uint32_t           users;               /* the same: passwords are asked */
    ingress_ref_t      realm;
    uint32_t           satisfy_any;         /* one of lists, users and login is
                                               enough */
    uint32_t           login_pad;
} ingress_policy_t;


/*
 * upstream_vhost: the length of a variable at the beginning of p ("$name" or
 * "${name}"), and its name, empty if it is not one of "namespace",
 * "ingress_name", "service_name" and "service_port"; 0: no variable there.
 */

size_t ingress_vhost_variable(const unsigned char *p, size_t len,
    torii_str_t *name);


/* Offsets of all ingress_ref_t in ingress_policy_t, to move between pools. */

extern const uint16_t  ingress_policy_refs[];
extern const uint32_t  ingress_policy_nrefs;


#endif /* _INGRESS_POLICY_H_INCLUDED_ */
