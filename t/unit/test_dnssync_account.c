
/*
 * Settings of a provider: names as of ExternalDNS's flags, values that are
 * wrong make the account unusable and say why, unknown names get a hint.
 */

#define _GNU_SOURCE

#include "provider_world.h"


static const struct {
    const char  *settings;
    const char  *why;          /* "": it is right */
} cases[] = {
    { "pdns-api-key=k", "" },
    { "pdns-api-key=k\n", "" },
    { "--pdns-api-key=k\n--policy=sync", "" },
    { "", "pdns-api-key is not set: the key that the API wants" },
    { "pdns-api-key=", "pdns-api-key is not set: the key that the API wants" },
    { "pdns-api-key=a\tb", "pdns-api-key has more than one line" },
    { "pdns-api-key=a\001b", "\"pdns-api-key\" has a control character" },
    { "pdns-api-key=k\npolicy=all", "policy \"all\": is none of upsert-only, "
      "sync, create-only, observe" },
    { "pdns-api-key=k\nregistry=noop", "registry \"noop\": without owners "
      "anything would be taken for ours" },
    { "pdns-api-key=k\nregistry=dynamodb", "registry \"dynamodb\": marks are "
      "kept in the zone itself" },
    { "pdns-api-key=k\nregistry=file", "registry \"file\": is none of own, "
      "native, txt" },
    { "pdns-api-key=k\ninterval=1", "interval \"1\": is too short" },
    { "pdns-api-key=k\ninterval=1x", "interval \"1x\": is neither seconds nor "
      "a duration like \"1m30s\"" },
    { "pdns-api-key=k\nbrake-percent=101", "brake-percent \"101\": is too "
      "large" },
    { "pdns-api-key=k\nbrake-min=-1", "brake-min \"-1\": is no number" },
    { "pdns-api-key=k\nallow-empty=perhaps", "allow-empty \"perhaps\": is "
      "neither true nor false" },
    { "pdns-api-key=k\nmanaged-record-types=A,MX", "managed-record-types "
      "\"A,MX\": only A, AAAA and CNAME are published" },
    { "pdns-api-key=k\nregex-domain-filter=(", "regex-domain-filter \"(\": is "
      "no regular expression" },
    { "pdns-api-key=k\ntxt-encrypt-aes-key=short", "txt-encrypt-aes-key: is "
      "neither 32 bytes nor base64 of them" },
    { "pdns-api-key=k\ntxt-encrypt-aes-key=short\ntxt-encrypt-enabled=false",
      "" },
    { "pdns-api-key=k\n--pdns-api-key=k", "\"pdns-api-key\" is there twice" },
    { "pdns-api-key=k\npdns-server=ftp://a", "the URL begins neither with "
      "https:// nor with http://" },
    { "pdns-api-key=k\npdns-server=http://u:p@a", "the URL has a character "
      "that it must not have" },
    { "pdns-api-key=k\npdns-server=http://pdns.dns.svc:8081", "" },
    { "pdns-api-key=k\nlock=true\nlock-period=1m\nflatten=true", "" }
};


static void
test_cases(void)
{
    size_t       i;
    provider_t   p;
    torii_buf_t  b;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&b, 0, sizeof(torii_buf_t));
        torii_buf_printf(&b, "provider=powerdns\n%s", cases[i].settings);

        provider_start(&p, (char *) b.data);

        if (!tap_ok(torii_str_eqs(p.why, cases[i].why), "case %u",
                    (unsigned) i))
        {
            printf("# %.*s\n", torii_str_arg(p.why));
        }

        provider_end(&p);
        torii_buf_free(&b);
    }
}


static const struct {
    const char  *settings;
    const char  *why;
} providers[] = {
    { "a=b", "provider is not set" },
    { "provider=akamai", "provider \"akamai\" is not known" },
    { "provider=cloudflare", "neither cloudflare-api-token nor "
      "cloudflare-api-key with cloudflare-api-email is set" },
    { "provider=cloudflare\ncloudflare-api-token=t\n"
      "cloudflare-api-url=http://a.test", "the URL has to begin with https://: "
      "what is sent there is secret" },
    { "provider=cloudflare\ncloudflare-api-token=t\n"
      "cloudflare-api-url=http://127.0.0.1.a.test", "the URL has to begin with "
      "https://: what is sent there is secret" },
    { "provider=cloudflare\ncloudflare-api-token=t\n"
      "cloudflare-batch-size=5000", "cloudflare-batch-size is no number from 1 "
      "to 3500" },
    { "provider=dyndns2\ndyndns-user=u\ndyndns-password=p", "zones is not set: "
      "the service does not tell the domain of the hosts" },
    { "provider=dyndns2\ndyndns-user=u:v\ndyndns-password=p\nzones=a.test",
      "dyndns-user has a \":\", which no user of HTTP may have" },
    { "provider=webhook", "" },
    { "provider=PDNS\npdns-api-key=k", "" }
};


static void
test_providers(void)
{
    size_t      i;
    provider_t  p;

    for (i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
        provider_start(&p, providers[i].settings);

        if (!tap_ok(torii_str_eqs(p.why, providers[i].why), "%s",
                    providers[i].why[0] ? providers[i].why : "a provider"))
        {
            printf("# %.*s\n", torii_str_arg(p.why));
        }

        provider_end(&p);
    }
}


static void
test_values(void)
{
    provider_t                  p;
    const dnssync_conf_t       *c;
    const dnssync_registry_t   *r;

    provider_start(&p, "provider=powerdns\npdns-api-key=k\n"
                   "zones=a.test. b.test,\nzone-id-filter=Z1\nview=private\n"
                   "interval=1m30s\npolicy=sync\nregistry=txt\n"
                   "txt-owner-id=me\ntxt-prefix=p-%{record_type}-\n"
                   "txt-wildcard-replacement=any\ndomain-filter=a.test,b.test\n"
                   "exclude-domains=x.a.test\nmanaged-record-types=A,aaaa\n"
                   "min-ttl=120\ndelete-delay=5m\nbrake-min=7\n"
                   "brake-percent=30\nbrake-window=2h\nlock=true\n"
                   "allow-empty=yes\nflatten=false");

    c = &p.account->conf;
    r = &c->registry;

    provider_ok(&p, p.why.len == 0, "all settings");

    provider_ok(&p, p.account->nzones == 3
                && torii_str_eqs(p.account->zones[0], "a.test.")
                && torii_str_eqs(p.account->zones[2], "Z1")
                && torii_str_eqs(p.account->view, "private")
                && p.account->interval == 90, "of the account");

    provider_ok(&p, c->policy == DNSSYNC_SYNC && c->ttl == 120
                && c->types == (DNSSYNC_HAS_A|DNSSYNC_HAS_AAAA)
                && c->delete_delay == 300 && c->brake_min == 7
                && c->brake_percent == 30 && c->brake_window == 7200
                && c->lock_period == 3600 && c->allow_empty && !c->flatten,
                "of the policy");

    provider_ok(&p, r->form == DNSSYNC_FORM_EXTERNAL
                && torii_str_eqs(r->id, "me")
                && torii_str_eqs(r->prefix, "p-%{record_type}-")
                && torii_str_eqs(r->wildcard, "any"), "of the registry");

    provider_ok(&p, dnssync_filter_match(&c->filter, torii_str("w.a.test"))
                && dnssync_filter_match(&c->filter, torii_str("b.test"))
                && !dnssync_filter_match(&c->filter, torii_str("x.a.test"))
                && !dnssync_filter_match(&c->filter, torii_str("c.test")),
                "of the filter");
    provider_end(&p);

    provider_start(&p, "provider=powerdns\npdns-api-key=k");
    c = &p.account->conf;

    provider_ok(&p, c->policy == DNSSYNC_UPSERT_ONLY
                && c->registry.form == DNSSYNC_FORM_OWN
                && c->registry.id.len == 0 && p.account->interval == 60
                && c->lock_period == 0 && p.account->nzones == 0,
                "what holds when nothing is said");
    provider_end(&p);
}


/* Where something can be deleted, unless it is said. */

static const struct {
    const char  *settings;
    unsigned     period;
} locks[] = {
    { "", 0 },
    { "policy=upsert-only", 0 },
    { "policy=create-only", 0 },
    { "policy=observe", 0 },
    { "policy=sync", 3600 },
    { "policy=sync\nregistry=own", 3600 },
    { "policy=sync\nregistry=native", 3600 },
    { "policy=sync\nregistry=txt", 0 },
    { "policy=sync\nregistry=txt\nlock=true", 3600 },
    { "policy=sync\nlock=false", 0 },
    { "policy=sync\nlock=off\nlock-period=60", 0 },
    { "policy=sync\nlock-period=60", 60 },
    { "lock-period=60", 0 },
    { "lock=true", 3600 },
    { "lock=true\nlock-period=2h", 7200 }
};


static void
test_locks(void)
{
    size_t       i;
    unsigned     period;
    provider_t   p;
    torii_buf_t  b;

    for (i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
        memset(&b, 0, sizeof(torii_buf_t));
        torii_buf_printf(&b, "provider=powerdns\npdns-api-key=k\n%s",
                         locks[i].settings);

        provider_start(&p, (char *) b.data);
        period = p.account->conf.lock_period;

        tap_ok(p.why.len == 0 && period == locks[i].period, "lock %u: %u",
               (unsigned) i, period);

        provider_end(&p);
        torii_buf_free(&b);
    }

    provider_start(&p, "provider=dyndns2\ndyndns-user=u\n"
                   "dyndns-password=p\nzones=a.test\npolicy=sync\nlock=true");
    provider_ok(&p, p.account->conf.lock_period == 0,
                "none where there are no TXT records");
    provider_end(&p);
}


static void
unknown(void *data, torii_str_t name, const char *hint)
{
    torii_buf_printf(data, "%.*s=%s ", torii_str_arg(name), hint ? hint : "?");
}


static void
test_unknown(void)
{
    provider_t   p;
    torii_buf_t  b;

    memset(&b, 0, sizeof(torii_buf_t));

    provider_start(&p, "provider=powerdns\npdns-api-key=k\n--polcy=sync\n"
                   "pdns-api-key-file=/a\npdns-server-file=/b\ndomain-filters=x"
                   "\nregion=eu");

    dnssync_account_unknown(p.account, unknown, &b);
    torii_buf_add(&b, "", 1);

    if (!tap_ok(strcmp((char *) b.data, "domain-filters=domain-filter "
                       "pdns-server-file=pdns-server polcy=policy region=? ")
                == 0, "unknown settings"))
    {
        printf("# %s\n", b.data);
    }

    provider_end(&p);
    torii_buf_free(&b);
}


static void
test_hash(void)
{
    uint64_t    hash;
    provider_t  p;

    provider_start(&p, "provider=powerdns\npdns-api-key=k\npolicy=sync");
    hash = p.account->hash;
    provider_end(&p);

    provider_start(&p, "--policy=sync\npdns-api-key=k\nprovider=powerdns");
    provider_ok(&p, p.account->hash == hash, "the same settings in any order");
    provider_end(&p);

    provider_start(&p, "provider=powerdns\npdns-api-key=l\npolicy=sync");
    provider_ok(&p, p.account->hash != hash, "another key is another account");
    provider_end(&p);
}


int
main(void)
{
    test_cases();
    test_providers();
    test_values();
    test_locks();
    test_unknown();
    test_hash();

    return tap_done();
}
