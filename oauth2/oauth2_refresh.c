
/*
 * Refreshing, once for all.
 */

#include <openssl/crypto.h>

#include "oauth2_refresh.h"


#define OAUTH2_REFRESH_SECOND  1000


int
oauth2_refresh_id(const oauth2_session_t *s, uint8_t id[16])
{
    unsigned char  md[32];

    if (s->refresh_token.len == 0
        || EVP_Digest(s->refresh_token.data, s->refresh_token.len, md, NULL,
                      EVP_sha256(), NULL) != 1)
    {
        return TORII_ERROR;
    }

    memcpy(id, md, 16);

    return TORII_OK;
}


int
oauth2_refresh_due(const oauth2_session_t *s, uint64_t now)
{
    int64_t  life, ahead;

    if (s->token_expires == 0) {
        return 0;
    }

    life = (s->token_expires - s->token_issued) * OAUTH2_REFRESH_SECOND;
    ahead = life / 5;

    /* a token that lives for a minute is not refreshed at every request */

    if (ahead < OAUTH2_REFRESH_AHEAD) {
        ahead = OAUTH2_REFRESH_AHEAD;
    }

    if (ahead > life / 2) {
        ahead = life / 2;
    }

    return (int64_t) now
           >= s->token_expires * OAUTH2_REFRESH_SECOND - ahead;
}


static int
oauth2_refresh_expired(const oauth2_session_t *s, uint64_t now)
{
    return (int64_t) now >= s->token_expires * OAUTH2_REFRESH_SECOND;
}


/*
 * Without a new token: the session itself lives until its own end; only the
 * token may be missed, and that for some time.
 */

static oauth2_refresh_e
oauth2_refresh_without(const oauth2_session_t *s, const oauth2_refresh_t *conf,
    int refused, uint64_t now)
{
    if (!oauth2_refresh_expired(s, now)) {
        return OAUTH2_REFRESH_NO;
    }

    if (refused) {
        return conf->needs_token ? OAUTH2_REFRESH_LOGIN : OAUTH2_REFRESH_NO;
    }

    return ((int64_t) now - s->token_expires * OAUTH2_REFRESH_SECOND
            < conf->max_stale)
           ? OAUTH2_REFRESH_STALE : OAUTH2_REFRESH_LOGIN;
}


static oauth2_refresh_e
oauth2_refresh_begin(const oauth2_session_t *s, const oauth2_refresh_t *conf,
    oauth2_flight_t *flight, const uint8_t id[16], uint64_t now)
{
    memcpy(flight->id, id, 16);

    flight->state = OAUTH2_FLIGHT_OWNED;
    flight->owner = conf->owner;
    flight->until = now + OAUTH2_REFRESH_OWNER;
    flight->len = 0;

    return (conf->needs_token && oauth2_refresh_expired(s, now))
           ? OAUTH2_REFRESH_BEGIN_WAIT : OAUTH2_REFRESH_BEGIN;
}


oauth2_refresh_e
oauth2_refresh_decide(const oauth2_session_t *s, const oauth2_refresh_t *conf,
    oauth2_flight_t *flight, const uint8_t id[16], uint64_t now)
{
    int  ours;

    ours = flight && flight->state != OAUTH2_FLIGHT_FREE
           && memcmp(flight->id, id, 16) == 0;

    /* who comes with the token that was spent takes what it was spent for */

    if (ours && flight->state == OAUTH2_FLIGHT_DONE && now < flight->until) {
        return OAUTH2_REFRESH_TAKE;
    }

    if (!oauth2_refresh_due(s, now)) {
        return OAUTH2_REFRESH_NO;
    }

    if (s->refresh_token.len == 0 || s->refresh_dead) {
        return oauth2_refresh_without(s, conf, 1, now);
    }

    if (ours && flight->dead) {
        return oauth2_refresh_without(s, conf, 1, now) == OAUTH2_REFRESH_LOGIN
               ? OAUTH2_REFRESH_LOGIN : OAUTH2_REFRESH_SPENT;
    }

    if (flight == NULL) {
        return oauth2_refresh_without(s, conf, 0, now);
    }

    if (!ours) {
        if (!oauth2_refresh_idle(flight, now)) {
            return oauth2_refresh_without(s, conf, 0, now);
        }

        memset(flight, 0, offsetof(oauth2_flight_t, result));
        return oauth2_refresh_begin(s, conf, flight, id, now);
    }

    if (flight->state == OAUTH2_FLIGHT_OWNED && now < flight->until) {

        if (conf->needs_token && oauth2_refresh_expired(s, now)
            && !conf->waited)
        {
            return OAUTH2_REFRESH_WAIT_OTHER;
        }

        return oauth2_refresh_without(s, conf, 0, now);
    }

    if (flight->state == OAUTH2_FLIGHT_FAILED && now < flight->next) {
        return oauth2_refresh_without(s, conf, 0, now);
    }

    return oauth2_refresh_begin(s, conf, flight, id, now);
}


static int
oauth2_refresh_owned(const oauth2_flight_t *flight, const uint8_t id[16],
    uint32_t owner)
{
    return flight->state == OAUTH2_FLIGHT_OWNED && flight->owner == owner
           && memcmp(flight->id, id, 16) == 0;
}


int
oauth2_refresh_done(oauth2_flight_t *flight, const uint8_t id[16],
    uint32_t owner, torii_str_t sealed, uint64_t now)
{
    if (!oauth2_refresh_owned(flight, id, owner)
        || sealed.len > sizeof(flight->result))
    {
        return TORII_DECLINED;
    }

    memcpy(flight->result, sealed.data, sealed.len);

    flight->len = (uint32_t) sealed.len;
    flight->state = OAUTH2_FLIGHT_DONE;
    flight->until = now + OAUTH2_REFRESH_GRACE;
    flight->failures = 0;

    return TORII_OK;
}


/* 1, 2, 4 … 60 s, and up to a quarter more so that not all come together. */

int
oauth2_refresh_failed(oauth2_flight_t *flight, const uint8_t id[16],
    uint32_t owner, oauth2_fail_e fail, uint32_t jitter, uint64_t now)
{
    uint64_t  wait;

    if (!oauth2_refresh_owned(flight, id, owner)) {
        return TORII_DECLINED;
    }

    wait = (uint64_t) OAUTH2_REFRESH_SECOND
           << (flight->failures < 6 ? flight->failures : 6);

    if (wait > OAUTH2_REFRESH_BACKOFF) {
        wait = OAUTH2_REFRESH_BACKOFF;
    }

    flight->failures++;
    flight->state = OAUTH2_FLIGHT_FAILED;
    flight->dead = (fail == OAUTH2_GRANT);
    flight->next = now + wait + jitter % (wait / 4);

    return TORII_OK;
}


int
oauth2_refresh_idle(const oauth2_flight_t *flight, uint64_t now)
{
    switch (flight->state) {

    case OAUTH2_FLIGHT_FREE:
        return 1;

    case OAUTH2_FLIGHT_OWNED:
    case OAUTH2_FLIGHT_DONE:
        return now >= flight->until;

    case OAUTH2_FLIGHT_FAILED:
        return now >= flight->next + OAUTH2_REFRESH_GRACE;
    }

    return 0;
}
