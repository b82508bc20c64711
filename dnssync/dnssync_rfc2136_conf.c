
/*
 * Settings of the RFC 2136 driver, by Torii's names and by those of
 * ExternalDNS's flags.
 */

#include <stdlib.h>

#include <openssl/crypto.h>

#include "dnssync_rfc2136.h"


#define DNSSYNC_RFC2136_PORT   "53"
#define DNSSYNC_RFC2136_DOT    "853"
#define DNSSYNC_RFC2136_ZONES  1000


static torii_str_t dnssync_rfc2136_setting(const dnssync_account_t *account,
    const char *name, const char *alias);
static int dnssync_rfc2136_switch(const dnssync_account_t *account,
    const char *name, const char *alias, unsigned *on);
static const char *dnssync_rfc2136_zones(dnssync_account_t *account);
static const char *dnssync_rfc2136_servers(dnssync_account_t *account,
    torii_str_t list, torii_str_t port, dnssync_rfc2136_servers_t *servers);
static const char *dnssync_rfc2136_server(dnssync_account_t *account,
    torii_str_t word, torii_str_t port, torii_str_t *server);
static int dnssync_rfc2136_port(torii_str_t port);
static const char *dnssync_rfc2136_key(dnssync_account_t *account,
    dnssync_rfc2136_conf_t *conf);


const dnssync_setting_t  dnssync_rfc2136_settings[] = {
    { "server", "host[:port] of the primary server; several, separated by "
      "commas, are tried in this order", 0, 0 },
    { "transfer-server", "where zones are read; default: server", 0, 0 },
    { "tsig-key-name", "name of the TSIG key", 0, 0 },
    { "tsig-algorithm", "hmac-sha256 (default), hmac-sha512, ...", 0, 0 },
    { "tsig-secret", "its secret, base64", 0, 1 },
    { "insecure", "\"true\": without a key, by address only", 0, 0 },
    { "tls", "\"true\": by DNS over TLS", 0, 0 },
    { "rfc2136-host", "as server", 0, 0 },
    { "rfc2136-port", "its port", 0, 0 },
    { "rfc2136-zone", "as zones", 0, 0 },
    { "rfc2136-tsig-keyname", "as tsig-key-name", 0, 0 },
    { "rfc2136-tsig-secret-alg", "as tsig-algorithm", 0, 0 },
    { "rfc2136-tsig-secret", "as tsig-secret", 0, 1 },
    { "rfc2136-tsig-axfr", "transfers are always signed", 0, 0 },
    { "rfc2136-insecure", "as insecure", 0, 0 },
    { "rfc2136-use-tls", "as tls", 0, 0 },
    { NULL, NULL, 0, 0 }
};


const char *
dnssync_rfc2136_init(dnssync_account_t *account)
{
    unsigned                 tls;
    const char              *why;
    torii_str_t              list, port;
    dnssync_rfc2136_conf_t  *conf;

    conf = torii_arena_zalloc(account->arena, sizeof(dnssync_rfc2136_conf_t));
    account->data = conf;

    if (dnssync_rfc2136_switch(account, "tls", "rfc2136-use-tls", &tls)
        != TORII_OK)
    {
        return "tls is neither \"true\" nor \"false\"";
    }

    conf->tls = tls;

    port = dnssync_account_setting(account, "rfc2136-port");

    if (port.len == 0) {
        port = torii_str(tls ? DNSSYNC_RFC2136_DOT : DNSSYNC_RFC2136_PORT);

    } else if (!dnssync_rfc2136_port(port)) {
        return "rfc2136-port is no port";
    }

    list = dnssync_rfc2136_setting(account, "server", "rfc2136-host");

    if (list.len == 0) {
        return "server is not set: host[:port] of the primary server";
    }

    why = dnssync_rfc2136_servers(account, list, port, &conf->primary);
    if (why != NULL) {
        return why;
    }

    list = dnssync_account_setting(account, "transfer-server");

    if (list.len) {
        why = dnssync_rfc2136_servers(account, list, port, &conf->transfer);
        if (why != NULL) {
            return why;
        }
    }

    why = dnssync_rfc2136_zones(account);

    return why ? why : dnssync_rfc2136_key(account, conf);
}


void
dnssync_rfc2136_cleanup(dnssync_account_t *account)
{
    dnssync_rfc2136_conf_t  *conf;

    conf = account->data;

    dnssync_key_free(conf->key);
    conf->key = NULL;
}


static torii_str_t
dnssync_rfc2136_setting(const dnssync_account_t *account, const char *name,
    const char *alias)
{
    torii_str_t  value;

    value = dnssync_account_setting(account, name);

    return value.len ? value : dnssync_account_setting(account, alias);
}


static int
dnssync_rfc2136_switch(const dnssync_account_t *account, const char *name,
    const char *alias, unsigned *on)
{
    torii_str_t  value;

    value = dnssync_rfc2136_setting(account, name, alias);

    *on = torii_str_caseeqs(value, "true") || torii_str_caseeqs(value, "yes")
          || torii_str_caseeqs(value, "on") || torii_str_eqs(value, "1");

    return *on || value.len == 0 || torii_str_caseeqs(value, "false")
           || torii_str_caseeqs(value, "no")
           || torii_str_caseeqs(value, "off") || torii_str_eqs(value, "0")
           ? TORII_OK : TORII_ERROR;
}


/* No server lists its zones: they have to be told. */

static const char *
dnssync_rfc2136_zones(dnssync_account_t *account)
{
    uint32_t     i;
    torii_str_t  list, word;

    list = dnssync_account_setting(account, "rfc2136-zone");

    if (account->nzones == 0 && list.len) {
        account->zones = torii_arena_alloc(account->arena,
                                           DNSSYNC_RFC2136_ZONES
                                           * sizeof(torii_str_t));

        while (torii_str_next(&list, ",\n ", &word)) {
            if (word.len && account->nzones < DNSSYNC_RFC2136_ZONES) {
                account->zones[account->nzones++] = word;
            }
        }
    }

    if (account->nzones == 0) {
        return "zones is not set: DNS servers do not tell which zones they "
               "have";
    }

    for (i = 0; i < account->nzones; i++) {
        if (dnssync_record_read(account->arena, account->zones[i],
                                &account->zones[i]) != TORII_OK
            || torii_str_eqs(account->zones[i], "."))
        {
            return "zones has something that is no name of a zone";
        }
    }

    return NULL;
}


static const char *
dnssync_rfc2136_servers(dnssync_account_t *account, torii_str_t list,
    torii_str_t port, dnssync_rfc2136_servers_t *servers)
{
    const char   *why;
    torii_str_t   word;

    while (torii_str_next(&list, ",\n ", &word)) {
        word = torii_str_trim(word);

        if (word.len == 0) {
            continue;
        }

        if (servers->n == DNSSYNC_RFC2136_SERVERS) {
            return "there are more than 8 servers";
        }

        why = dnssync_rfc2136_server(account, word, port,
                                     &servers->name[servers->n]);
        if (why != NULL) {
            return why;
        }

        servers->n++;
    }

    return servers->n ? NULL : "there is no server";
}


/* "host", "host:port", "[v6]", "[v6]:port"; "v6" is one, too. */

static const char *
dnssync_rfc2136_server(dnssync_account_t *account, torii_str_t word,
    torii_str_t port, torii_str_t *server)
{
    torii_str_t     host, tail;
    unsigned char  *p;

    if (dnssync_value_type(word) == DNSSYNC_AAAA) {
        *server = torii_arena_printf(account->arena, "[%.*s]:%.*s",
                                     torii_str_arg(word),
                                     torii_str_arg(port));
        return NULL;
    }

    host = word;
    p = memchr(word.data, word.data[0] == '[' ? ']' : ':', word.len);

    if (p != NULL) {
        p += (*p == ']');
        host.len = p - word.data;
    }

    tail.data = word.data + host.len;
    tail.len = word.len - host.len;

    if (tail.len) {
        port = tail;
        port.data++;
        port.len--;
    }

    if (host.len == 0 || (word.data[0] == '[' && p == NULL)
        || (tail.len && (tail.data[0] != ':' || !dnssync_rfc2136_port(port))))
    {
        return "a server is not of the form host:port";
    }

    *server = torii_arena_printf(account->arena, "%.*s:%.*s",
                                 torii_str_arg(host), torii_str_arg(port));

    return NULL;
}


static int
dnssync_rfc2136_port(torii_str_t port)
{
    uint64_t  n;

    return torii_str_uint(port, 65535, &n) == TORII_OK && n != 0;
}


/* Without a key whoever has an address of ours is us: that has to be said. */

static const char *
dnssync_rfc2136_key(dnssync_account_t *account, dnssync_rfc2136_conf_t *conf)
{
    unsigned      insecure;
    const char   *why;
    torii_str_t   name, algorithm, text, secret;

    name = dnssync_rfc2136_setting(account, "tsig-key-name",
                                   "rfc2136-tsig-keyname");
    algorithm = dnssync_rfc2136_setting(account, "tsig-algorithm",
                                        "rfc2136-tsig-secret-alg");
    text = dnssync_rfc2136_setting(account, "tsig-secret",
                                   "rfc2136-tsig-secret");

    if (dnssync_rfc2136_switch(account, "insecure", "rfc2136-insecure",
                               &insecure) != TORII_OK)
    {
        return "insecure is neither \"true\" nor \"false\"";
    }

    if (name.len == 0 && text.len == 0) {
        return insecure ? NULL
                        : "tsig-key-name and tsig-secret are not set; to work "
                          "without a key set insecure to \"true\"";
    }

    if (insecure) {
        return "insecure is set, and a TSIG key, too";
    }

    if (name.len == 0) {
        return "tsig-key-name is not set";
    }

    if (text.len == 0) {
        return "tsig-secret is not set";
    }

    if (algorithm.len == 0) {
        algorithm = torii_str("hmac-sha256");
    }

    if (torii_base64_decode(account->arena, text, &secret) != TORII_OK) {
        return "tsig-secret is not base64";
    }

    conf->key = dnssync_key_create(name, algorithm, secret, &why);
    OPENSSL_cleanse(secret.data, secret.len);

    return conf->key ? NULL : why;
}
