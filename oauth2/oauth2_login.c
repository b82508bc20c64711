
/*
 * Begin and end of a login in the browser.
 */

#include <stdio.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "oauth2_form.h"
#include "oauth2_login.h"


#define OAUTH2_SEED        32
#define OAUTH2_STATE_HEAD  (OAUTH2_SEED + 8)      /* seed | instant */
#define OAUTH2_STATE_NAME  (64 + 3 + 8)


typedef struct {
    char           state[OAUTH2_STATE_LEN + 1];
    char           nonce[OAUTH2_STATE_LEN + 1];
    char           verifier[OAUTH2_STATE_LEN + 1];
} oauth2_words_t;

typedef struct {
    torii_str_t    seed;
    torii_str_t    rd;
    int64_t        at;
} oauth2_state_t;


/* RFC 6749 section 4.1.2.1, Core 3.1.2.6, Registration 1.0 … */

static const char  *const oauth2_login_errors[] = {
    "invalid_request", "unauthorized_client", "access_denied",
    "unsupported_response_type", "invalid_scope", "server_error",
    "temporarily_unavailable", "interaction_required", "login_required",
    "account_selection_required", "consent_required", "invalid_request_uri",
    "invalid_request_object", "request_not_supported",
    "request_uri_not_supported", "registration_not_supported", NULL
};

static const char  *const oauth2_login_single[] = {
    "state", "code", "iss", "error", NULL
};


static int
oauth2_login_word(torii_str_t seed, const char *label,
    char word[OAUTH2_STATE_LEN + 1])
{
    int            rc;
    torii_buf_t    b;
    unsigned char  bytes[32];

    if (oauth2_derive(seed, label, bytes, sizeof(bytes)) != TORII_OK) {
        return TORII_ERROR;
    }

    memset(&b, 0, sizeof(torii_buf_t));
    torii_base64url_add(&b, bytes, sizeof(bytes));

    rc = b.len == OAUTH2_STATE_LEN ? TORII_OK : TORII_ERROR;

    memcpy(word, b.data, OAUTH2_STATE_LEN);
    word[OAUTH2_STATE_LEN] = '\0';

    OPENSSL_cleanse(b.data, b.size);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    torii_buf_free(&b);

    return rc;
}


static int
oauth2_login_words(torii_str_t seed, oauth2_words_t *words)
{
    return (oauth2_login_word(seed, "torii oauth2 state", words->state)
                == TORII_OK
            && oauth2_login_word(seed, "torii oauth2 nonce", words->nonce)
               == TORII_OK
            && oauth2_login_word(seed, "torii oauth2 verifier",
                                 words->verifier)
               == TORII_OK)
           ? TORII_OK : TORII_ERROR;
}


/* NAME.s.XXXXXXXX, by the first characters of the state. */

static torii_str_t
oauth2_login_name(const oauth2_login_t *login, const char *state,
    char name[OAUTH2_STATE_NAME])
{
    size_t       len;
    torii_str_t  s;

    len = login->cookie->name.len;

    memcpy(name, login->cookie->name.data, len);
    memcpy(name + len, ".s.", 3);
    memcpy(name + len + 3, state, 8);

    s.data = (unsigned char *) name;
    s.len = len + 3 + 8;

    return s;
}


static void
oauth2_login_bind(const oauth2_login_t *login, torii_str_t name,
    oauth2_bind_t *bind)
{
    bind->use = OAUTH2_USE_STATE;
    bind->name = name;
    bind->host = login->host;
    bind->provider = login->provider->id;
}


static void
oauth2_login_cookie(const oauth2_login_t *login, torii_str_t name,
    oauth2_cookie_t *cookie)
{
    *cookie = *login->cookie;

    cookie->name = name;
    cookie->same_site = login->form_post ? "None" : "Lax";
}


static oauth2_fail_e
oauth2_login_open(const oauth2_login_t *login, torii_str_t name,
    torii_str_t value, unsigned char *room, oauth2_state_t *state)
{
    int            old;
    unsigned       i;
    torii_str_t    plain;
    oauth2_fail_e  rc;
    oauth2_bind_t  bind;

    oauth2_login_bind(login, name, &bind);

    rc = oauth2_open(login->ring, &bind, value, room, &plain, &old);

    if (rc != OAUTH2_OK || plain.len < OAUTH2_STATE_HEAD) {
        return OAUTH2_STATE;
    }

    state->seed.data = plain.data;
    state->seed.len = OAUTH2_SEED;
    state->rd.data = plain.data + OAUTH2_STATE_HEAD;
    state->rd.len = plain.len - OAUTH2_STATE_HEAD;
    state->at = 0;

    for (i = OAUTH2_SEED; i < OAUTH2_STATE_HEAD; i++) {
        state->at = state->at * 256 + plain.data[i];
    }

    return OAUTH2_OK;
}


static int
oauth2_login_stale(const oauth2_state_t *state, int64_t now)
{
    return now - state->at >= OAUTH2_STATE_AGE || state->at > now + 300;
}


/* Those that open no more go at once, the oldest when there are too many. */

static void
oauth2_login_tidy(const oauth2_login_t *login, torii_str_t line, int64_t now,
    oauth2_cookie_pt add, void *data)
{
    int64_t          at[OAUTH2_STATES_SEEN];
    uint32_t         i, n, oldest;
    oauth2_state_t   state;
    oauth2_cookie_t  cookie;
    oauth2_states_t  states;
    unsigned char    room[OAUTH2_OPEN_MAX];

    oauth2_cookie_states(line, login->cookie->name, &states);

    n = states.n;

    for (i = 0; i < states.n; i++) {

        if (oauth2_login_open(login, states.names[i], states.values[i], room,
                              &state) == OAUTH2_OK
            && !oauth2_login_stale(&state, now))
        {
            at[i] = state.at;
            continue;
        }

        at[i] = -1;
    }

    OPENSSL_cleanse(room, sizeof(room));

    for (i = 0; i < states.n; i++) {

        if (at[i] < 0) {
            oauth2_login_cookie(login, states.names[i], &cookie);
            oauth2_cookie_clear(&cookie, NULL, add, data);
            n--;
        }
    }

    while (n >= OAUTH2_STATES_MAX) {

        oldest = states.n;

        for (i = 0; i < states.n; i++) {
            if (at[i] >= 0 && (oldest == states.n || at[i] < at[oldest])) {
                oldest = i;
            }
        }

        oauth2_login_cookie(login, states.names[oldest], &cookie);
        oauth2_cookie_clear(&cookie, NULL, add, data);

        at[oldest] = -1;
        n--;
    }
}


static int
oauth2_login_challenge(const char *verifier, torii_buf_t *url)
{
    torii_buf_t    b;
    torii_str_t    challenge;
    unsigned char  md[32];

    if (EVP_Digest(verifier, strlen(verifier), md, NULL, EVP_sha256(), NULL)
        != 1)
    {
        return TORII_ERROR;
    }

    memset(&b, 0, sizeof(torii_buf_t));
    torii_base64url_add(&b, md, sizeof(md));

    challenge.data = b.data;
    challenge.len = b.len;

    oauth2_url_add(url, "code_challenge", challenge);
    oauth2_url_add(url, "code_challenge_method", torii_str("S256"));

    torii_buf_free(&b);

    return TORII_OK;
}


static int
oauth2_login_location(const oauth2_login_t *login, const oauth2_words_t *words,
    int select, torii_buf_t *url)
{
    char                      age[24];
    const oauth2_provider_t  *p;

    p = login->provider;

    torii_buf_add_str(url, p->endpoints.authorization);

    oauth2_url_add(url, "client_id", p->client_id);
    oauth2_url_add(url, "response_type", torii_str("code"));
    oauth2_url_add(url, "redirect_uri", login->redirect_uri);
    oauth2_url_add(url, "scope", p->scope);
    oauth2_url_add(url, "state", torii_str(words->state));

    if (p->type->oidc) {
        oauth2_url_add(url, "nonce", torii_str(words->nonce));
    }

    if (login->form_post) {
        oauth2_url_add(url, "response_mode", torii_str("form_post"));
    }

    if (select) {
        oauth2_url_add(url, "prompt", torii_str("select_account"));

    } else if (p->prompt.len) {
        oauth2_url_add(url, "prompt", p->prompt);
    }

    if (p->max_age) {
        (void) snprintf(age, sizeof(age), "%lld", (long long) p->max_age);
        oauth2_url_add(url, "max_age", torii_str(age));
    }

    if (p->type->authorize) {
        p->type->authorize(p, select, url);
    }

    return oauth2_login_challenge(words->verifier, url);
}


int
oauth2_login_start(const oauth2_login_t *login, torii_str_t rd,
    torii_str_t line, int select, int64_t now, torii_buf_t *location,
    oauth2_cookie_pt add, void *data)
{
    int              rc;
    char             name[OAUTH2_STATE_NAME];
    size_t           i;
    torii_buf_t      sealed;
    torii_str_t      seed, plain;
    oauth2_bind_t    bind;
    oauth2_words_t   words;
    oauth2_cookie_t  cookie;
    unsigned char    bytes[OAUTH2_STATE_HEAD + OAUTH2_URL_MAX];

    seed.data = bytes;
    seed.len = OAUTH2_SEED;

    if (rd.len > OAUTH2_URL_MAX || RAND_bytes(bytes, OAUTH2_SEED) != 1
        || oauth2_login_words(seed, &words) != TORII_OK)
    {
        return TORII_ERROR;
    }

    for (i = 0; i < 8; i++) {
        bytes[OAUTH2_SEED + i] = (unsigned char) (now >> (56 - 8 * i));
    }

    memcpy(bytes + OAUTH2_STATE_HEAD, rd.len ? (char *) rd.data : "", rd.len);

    plain.data = bytes;
    plain.len = OAUTH2_STATE_HEAD + rd.len;

    oauth2_login_bind(login, oauth2_login_name(login, words.state, name),
                      &bind);

    memset(&sealed, 0, sizeof(torii_buf_t));

    rc = oauth2_seal(login->ring, &bind, plain, &sealed);

    if (rc == TORII_OK) {
        rc = oauth2_login_location(login, &words, select, location);
    }

    if (rc == TORII_OK) {
        plain.data = sealed.data;
        plain.len = sealed.len;

        oauth2_login_tidy(login, line, now, add, data);

        oauth2_login_cookie(login, bind.name, &cookie);
        oauth2_cookie_set(&cookie, plain, OAUTH2_STATE_AGE, NULL, add, data);
    }

    OPENSSL_cleanse(bytes, sizeof(bytes));
    OPENSSL_cleanse(&words, sizeof(words));
    torii_buf_free(&sealed);

    return rc;
}


/* The cookie of this state; of two with one name, the one that opens. */

static oauth2_fail_e
oauth2_login_find(const oauth2_login_t *login, torii_str_t state,
    torii_str_t line, unsigned char *room, oauth2_callback_t *out,
    oauth2_state_t *found)
{
    char             name[OAUTH2_STATE_NAME];
    uint32_t         i;
    torii_str_t      wanted;
    oauth2_states_t  states;

    if (state.len != OAUTH2_STATE_LEN) {
        return OAUTH2_STATE;
    }

    memcpy(out->state, state.data, 8);

    wanted = oauth2_login_name(login, out->state, name);

    oauth2_cookie_states(line, login->cookie->name, &states);

    for (i = 0; i < states.n; i++) {

        if (torii_str_eq(states.names[i], wanted)
            && oauth2_login_open(login, wanted, states.values[i], room, found)
               == OAUTH2_OK)
        {
            return OAUTH2_OK;
        }
    }

    return OAUTH2_STATE;
}


static oauth2_fail_e
oauth2_login_state(torii_arena_t *a, const oauth2_login_t *login,
    torii_str_t state, torii_str_t line, int64_t now, oauth2_callback_t *out)
{
    oauth2_fail_e    rc;
    oauth2_state_t   found;
    oauth2_words_t   words;
    unsigned char   *room;

    room = torii_arena_alloc(a, OAUTH2_OPEN_MAX);

    rc = oauth2_login_find(login, state, line, room, out, &found);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    if (oauth2_login_words(found.seed, &words) != TORII_OK
        || CRYPTO_memcmp(words.state, state.data, OAUTH2_STATE_LEN) != 0
        || oauth2_derive(found.seed, "torii oauth2 replay", out->replay,
                         OAUTH2_REPLAY_ID) != TORII_OK)
    {
        return OAUTH2_STATE;
    }

    memcpy(out->nonce, words.nonce, sizeof(words.nonce));
    memcpy(out->verifier, words.verifier, sizeof(words.verifier));

    OPENSSL_cleanse(&words, sizeof(words));
    OPENSSL_cleanse(found.seed.data, found.seed.len);

    out->known = 1;
    out->rd = found.rd;

    return oauth2_login_stale(&found, now) ? OAUTH2_STATE_EXPIRED : OAUTH2_OK;
}


static torii_str_t
oauth2_login_error(torii_str_t error)
{
    unsigned  i;

    for (i = 0; oauth2_login_errors[i]; i++) {
        if (torii_str_eqs(error, oauth2_login_errors[i])) {
            return torii_str(oauth2_login_errors[i]);
        }
    }

    return torii_str("other");
}


/* RFC 9207 section 2.4: against mix-up of providers. */

static oauth2_fail_e
oauth2_login_iss(const oauth2_provider_t *p, const oauth2_form_t *form)
{
    torii_str_t  iss;

    if (oauth2_form_get(form, "iss", &iss) == TORII_OK) {
        return torii_str_eq(iss, p->issuer) ? OAUTH2_OK : OAUTH2_CALLBACK_ISS;
    }

    return p->endpoints.iss_parameter ? OAUTH2_CALLBACK_ISS : OAUTH2_OK;
}


oauth2_fail_e
oauth2_login_callback(torii_arena_t *a, const oauth2_login_t *login,
    torii_str_t params, torii_str_t line, int64_t now, oauth2_callback_t *out)
{
    unsigned       i;
    torii_str_t    value;
    oauth2_form_t  form;
    oauth2_fail_e  rc;

    memset(out, 0, sizeof(oauth2_callback_t));

    if (oauth2_form_read(a, params, &form) != TORII_OK) {
        return OAUTH2_PARAMETER;
    }

    for (i = 0; oauth2_login_single[i]; i++) {
        if (oauth2_form_get(&form, oauth2_login_single[i], &value)
            == TORII_ERROR)
        {
            return OAUTH2_PARAMETER;
        }
    }

    (void) oauth2_form_get(&form, "state", &value);

    rc = oauth2_login_state(a, login, value, line, now, out);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    rc = oauth2_login_iss(login->provider, &form);
    if (rc != OAUTH2_OK) {
        return rc;
    }

    if (oauth2_form_get(&form, "error", &value) == TORII_OK) {
        out->error = oauth2_login_error(value);
        return OAUTH2_CALLBACK_ERROR;
    }

    if (oauth2_form_get(&form, "code", &value) != TORII_OK || value.len == 0
        || value.len > OAUTH2_URL_MAX || torii_str_has_control(value))
    {
        return OAUTH2_CALLBACK_CODE;
    }

    out->code = value;

    return OAUTH2_OK;
}


void
oauth2_login_clear(const oauth2_login_t *login,
    const oauth2_callback_t *callback, oauth2_cookie_pt add, void *data)
{
    char             name[OAUTH2_STATE_NAME];
    oauth2_cookie_t  cookie;

    if (!callback->known) {
        return;
    }

    oauth2_login_cookie(login, oauth2_login_name(login, callback->state, name),
                        &cookie);
    oauth2_cookie_clear(&cookie, NULL, add, data);
}
