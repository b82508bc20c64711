
/*
 * The table of drivers, and the names that ExternalDNS has for them.
 */

#include "dnssync_driver.h"


const dnssync_driver_t *const  dnssync_drivers[] = {
    &dnssync_rfc2136_driver,
    &dnssync_powerdns_driver,
    &dnssync_cloudflare_driver,
    &dnssync_route53_driver,
    &dnssync_google_driver,
    &dnssync_azure_driver,
    &dnssync_digitalocean_driver,
    &dnssync_webhook_driver,
    &dnssync_dyndns_driver,
    NULL
};


static const struct {
    const char  *name;
    const char  *driver;
} dnssync_driver_aliases[] = {
    { "pdns", "powerdns" },
    { "aws", "route53" },
    { "google-cloud-dns", "google" },
    { "azure-dns", "azure" },
    { "azure-private-dns", "azure" },
    { "dyndns2", "dyndns" }
};

#define DNSSYNC_DRIVER_ALIASES                                                \
    (sizeof(dnssync_driver_aliases) / sizeof(dnssync_driver_aliases[0]))


const dnssync_driver_t *
dnssync_driver(torii_str_t name)
{
    size_t  i;

    for (i = 0; i < DNSSYNC_DRIVER_ALIASES; i++) {
        if (torii_str_caseeqs(name, dnssync_driver_aliases[i].name)) {
            name = torii_str(dnssync_driver_aliases[i].driver);
        }
    }

    for (i = 0; dnssync_drivers[i] != NULL; i++) {
        if (torii_str_caseeqs(name, dnssync_drivers[i]->name)) {
            return dnssync_drivers[i];
        }
    }

    return NULL;
}
