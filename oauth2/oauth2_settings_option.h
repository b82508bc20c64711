
/*
 * Between the files that read a provider's options: the table is in
 * oauth2_settings_option.c, what reads a value in oauth2_settings_value.c,
 * oauth2_settings_rule.c and oauth2_settings_issuer.c.
 */

#ifndef _OAUTH2_SETTINGS_OPTION_H_INCLUDED_
#define _OAUTH2_SETTINGS_OPTION_H_INCLUDED_


#include "oauth2_settings.h"


#define OAUTH2_SETTING_ITEMS  256            /* of a list */
#define OAUTH2_OPTIONS_MAX    256            /* rows of the table */


typedef struct oauth2_option_s  oauth2_option_t;

typedef struct {
    torii_arena_t          *arena;
    oauth2_settings_t      *settings;
    const oauth2_option_t  *option;
    torii_str_t             redirect;   /* redirect-url */
    int64_t                 renew;      /* cookie-refresh, or 0 */
    unsigned                refresh:1;
    unsigned                store:1;    /* session-store-type is "redis" */
    unsigned                minimal:1;  /* session-cookie-minimal */
    unsigned                failed:1;
    unsigned char           seen[OAUTH2_OPTIONS_MAX];
    oauth2_settings_pt      error;
    void                   *data;
} oauth2_reading_t;

/* NULL, or what is wrong with the value. */
typedef const char *(*oauth2_option_pt)(oauth2_reading_t *o,
    torii_str_t value);

struct oauth2_option_s {
    const char             *name;
    oauth2_option_pt        read;       /* NULL: is read elsewhere */
    size_t                  off;
    size_t                  off2;       /* or a bit, or how many */
    const char             *text;       /* the one value that is taken, or why
                                           none is */
};


/* Bits of several fields cannot be pointed at. */

enum {
    OAUTH2_FLAG_SECURE = 0,
    OAUTH2_FLAG_BUTTON,
    OAUTH2_FLAG_PREFLIGHT,
    OAUTH2_FLAG_JSON,
    OAUTH2_FLAG_BEARER,
    OAUTH2_FLAG_FRAMES,
    OAUTH2_FLAG_UNVERIFIED,
    OAUTH2_FLAG_LOOPBACK,
    OAUTH2_FLAG_MINIMAL,
    OAUTH2_FLAG_GROUPS,
    OAUTH2_FLAG_END_SESSION
};


/* oauth2_settings_option.c */

void oauth2_settings_option(oauth2_reading_t *o, const oauth2_setting_t *in);
void oauth2_settings_failed(oauth2_reading_t *o, const char *name,
    const char *text);

/* oauth2_settings_value.c: what many options are */

const char *oauth2_option_text(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_seconds(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_header(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_flag(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_only(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_refused(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_lines(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_strings(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_list(oauth2_reading_t *o, torii_str_t value);

/* "168h", "1h30m", "90s", "0": as Go writes them; NULL or what is wrong. */
const char *oauth2_option_duration(torii_str_t value, int64_t *seconds);
/* Apart by commas or lines; NULL: too many, or with control bytes. */
torii_str_t *oauth2_option_items(oauth2_reading_t *o, torii_str_t value,
    uint32_t *n);

/* oauth2_settings_rule.c: those that have rules of their own */

const char *oauth2_option_provider(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_ca(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_prompt(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_algs(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_refresh(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_store(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_redis(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_prefix(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_mode(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_site(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_redirect(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_whitelist(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_logout(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_skip(oauth2_reading_t *o, torii_str_t value);
const char *oauth2_option_api(oauth2_reading_t *o, torii_str_t value);

/* oauth2_settings_issuer.c: further issuers of tokens */

const char *oauth2_option_issuers(oauth2_reading_t *o, torii_str_t value);
/* When all options are read; NULL or what is wrong. */
const char *oauth2_settings_issuers(const oauth2_settings_t *s);


#endif /* _OAUTH2_SETTINGS_OPTION_H_INCLUDED_ */
