
/*
 * dyndns2, as routers speak it: an address for a host, and a word in return.
 * There is no listing and no way to remove a host; what was written is for the
 * caller to remember, since one who repeats it gets locked out.
 */

#include <stdio.h>

#include "dnssync_http.h"


#define DNSSYNC_DYNDNS_URL   "https://members.dyndns.org/nic/update"
#define DNSSYNC_DYNDNS_WAIT  1800      /* s, after "dnserr" and "911" */
#define DNSSYNC_DYNDNS_TEXT  80


typedef struct {
    torii_str_t  url;
    torii_str_t  login;
} dnssync_dyndns_t;

typedef struct {
    uint32_t     next;                 /* edit */
} dnssync_dyndns_state_t;


static dnssync_op_step_e dnssync_dyndns_zones(dnssync_op_t *op);
static dnssync_op_step_e dnssync_dyndns_next(dnssync_op_t *op);
static int dnssync_dyndns_addresses(dnssync_op_t *op, uint32_t i,
    torii_buf_t *b);
static dnssync_op_step_e dnssync_dyndns_denied(dnssync_op_t *op,
    const char *text);


static const dnssync_setting_t  dnssync_dyndns_settings[] = {
    { "dyndns-url", "default " DNSSYNC_DYNDNS_URL, 0, 0 },
    { "dyndns-user", "who may change the hosts", 1, 0 },
    { "dyndns-password", "the password", 1, 1 },
    { NULL, NULL, 0, 0 }
};


typedef enum {
    DNSSYNC_DYNDNS_DONE = 0,
    DNSSYNC_DYNDNS_REFUSED,            /* this host */
    DNSSYNC_DYNDNS_DENIED,             /* all of them, for good */
    DNSSYNC_DYNDNS_LATER               /* all of them, for a while */
} dnssync_dyndns_e;

static const struct {
    const char        *word;
    dnssync_dyndns_e   what;
    const char        *text;
} dnssync_dyndns_words[] = {
    { "good", DNSSYNC_DYNDNS_DONE, NULL },
    { "nochg", DNSSYNC_DYNDNS_DONE, NULL },
    { "nohost", DNSSYNC_DYNDNS_REFUSED, "there is no such host" },
    { "notfqdn", DNSSYNC_DYNDNS_REFUSED, "it is no whole name" },
    { "numhost", DNSSYNC_DYNDNS_REFUSED, "there are too many hosts" },
    { "!yours", DNSSYNC_DYNDNS_REFUSED, "it is another user's" },
    { "abuse", DNSSYNC_DYNDNS_REFUSED, "the host is locked for having been "
      "updated too often" },
    { "badauth", DNSSYNC_DYNDNS_DENIED, "user or password are wrong" },
    { "badagent", DNSSYNC_DYNDNS_DENIED, "the service does not like this "
      "program" },
    { "!donator", DNSSYNC_DYNDNS_DENIED, "the account has not paid for this" },
    { "dnserr", DNSSYNC_DYNDNS_LATER, "the service has trouble with its DNS" },
    { "911", DNSSYNC_DYNDNS_LATER, "the service has trouble" }
};

#define DNSSYNC_DYNDNS_WORDS                                                  \
    (sizeof(dnssync_dyndns_words) / sizeof(dnssync_dyndns_words[0]))


static const char *
dnssync_dyndns_init(dnssync_account_t *account)
{
    torii_str_t        user, password;
    dnssync_dyndns_t  *d;

    d = torii_arena_zalloc(account->arena, sizeof(dnssync_dyndns_t));
    account->data = d;

    user = dnssync_account_setting(account, "dyndns-user");
    password = dnssync_account_setting(account, "dyndns-password");

    if (memchr(user.data, ':', user.len) != NULL) {
        return "dyndns-user has a \":\", which no user of HTTP may have";
    }

    if (account->nzones == 0) {
        return "zones is not set: the service does not tell the domain of "
               "the hosts";
    }

    d->login = torii_arena_printf(account->arena, "%.*s:%.*s",
                                  torii_str_arg(user),
                                  torii_str_arg(password));

    return dnssync_account_url(account, "dyndns-url", DNSSYNC_DYNDNS_URL, 0,
                               &d->url);
}


static dnssync_op_step_e
dnssync_dyndns_go(dnssync_op_t *op)
{
    switch (op->what) {

    case DNSSYNC_OP_ZONES:
        return dnssync_dyndns_zones(op);

    case DNSSYNC_OP_APPLY:
        return dnssync_dyndns_next(op);

    default:
        return dnssync_op_unsupported(op);
    }
}


static dnssync_op_step_e
dnssync_dyndns_zones(dnssync_op_t *op)
{
    uint32_t          i;
    torii_str_t       name;
    dnssync_found_t  *zone;

    for (i = 0; i < op->account->nzones; i++) {

        if (dnssync_record_read(op->arena, op->account->zones[i], &name)
            != TORII_OK)
        {
            return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "zones: "
                                   "\"%.*s\" is no name",
                                   torii_str_arg(op->account->zones[i]));
        }

        zone = dnssync_op_zone(op);

        zone->id = name;
        zone->name = name;
    }

    return DNSSYNC_OP_DONE;
}


static dnssync_op_step_e
dnssync_dyndns_next(dnssync_op_t *op)
{
    torii_buf_t              b;
    dnssync_request_t       *r;
    dnssync_dyndns_t        *d;
    dnssync_dyndns_state_t  *st;

    d = op->account->data;
    st = op->state;

    for ( /* void */ ; st->next < op->nedits; st->next++) {

        memset(&b, 0, sizeof(torii_buf_t));

        if (dnssync_dyndns_addresses(op, st->next, &b) != TORII_OK) {
            torii_buf_free(&b);
            continue;
        }

        r = dnssync_op_http(op, "GET", "%.*s%.*s", torii_str_arg(d->url),
                            (int) b.len, (char *) b.data);
        r->login = d->login;

        torii_buf_free(&b);

        return dnssync_op_send(op);
    }

    return DNSSYNC_OP_DONE;
}


/*
 * The query.  TORII_DECLINED: there is nothing to send, and the edit's outcome
 * is told.
 */

static int
dnssync_dyndns_addresses(dnssync_op_t *op, uint32_t i, torii_buf_t *b)
{
    uint32_t                j, n;
    const char             *why;
    const dnssync_part_t   *part;

    for (j = 0, n = 0, why = NULL; j < op->edits[i]->nparts; j++) {
        part = &op->edits[i]->parts[j];

        /* a mark has no place there: it is in the caller's memory only */

        if ((part->after ? part->after : part->before)->type == DNSSYNC_TXT) {
            continue;
        }

        if (part->after == NULL) {
            why = "nothing can be removed there";

        } else if (part->after->type == DNSSYNC_CNAME) {
            why = "a host has addresses there, and is no alias";

        } else if (part->after->n != 1) {
            why = "a host has one address there";

        } else {
            torii_buf_adds(b, n ? "," : "?hostname=");

            if (n++ == 0) {
                dnssync_url_add(b, part->after->name);
                torii_buf_adds(b, "&myip=");
            }

            torii_buf_add_str(b, part->after->values[0]);
        }
    }

    if (why != NULL) {
        dnssync_op_result(op, i, DNSSYNC_OUTCOME_REFUSED, "%s", why);
        return TORII_DECLINED;
    }

    if (n == 0) {
        dnssync_op_result(op, i, DNSSYNC_OUTCOME_DONE, "%s", "");
        return TORII_DECLINED;
    }

    return TORII_OK;
}


static dnssync_op_step_e
dnssync_dyndns_answer(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    size_t                   i;
    torii_str_t              body, word;
    dnssync_dyndns_state_t  *st;

    st = op->state;

    if (answer->status == 401 || answer->status == 403) {
        return dnssync_dyndns_denied(op, "user or password are wrong");
    }

    if (answer->status == 0 || answer->status >= 500) {
        dnssync_op_result(op, st->next, DNSSYNC_OUTCOME_UNSURE, "there was no "
                          "answer");
    }

    body = torii_str_trim(answer->body);

    if (!torii_str_next(&body, " \t\r\n", &word)) {
        word = torii_str("");
    }

    for (i = 0; i < DNSSYNC_DYNDNS_WORDS; i++) {
        if (torii_str_eqs(word, dnssync_dyndns_words[i].word)) {
            break;
        }
    }

    if (!dnssync_http_ok(answer)
        && (i == DNSSYNC_DYNDNS_WORDS
            || dnssync_dyndns_words[i].what == DNSSYNC_DYNDNS_DONE))
    {
        return dnssync_op_fail_http(op, answer, "updating a host");
    }

    if (i == DNSSYNC_DYNDNS_WORDS) {
        dnssync_op_result(op, st->next, DNSSYNC_OUTCOME_UNSURE, "the answer "
                          "is no word of the protocol");

        word.len = word.len > DNSSYNC_DYNDNS_TEXT ? DNSSYNC_DYNDNS_TEXT
                                                  : word.len;

        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "updating a host: "
                               "the service answers \"%.*s\"",
                               torii_str_arg(word));
    }

    switch (dnssync_dyndns_words[i].what) {

    case DNSSYNC_DYNDNS_DENIED:
        return dnssync_dyndns_denied(op, dnssync_dyndns_words[i].text);

    case DNSSYNC_DYNDNS_LATER:
        op->until = op->now + DNSSYNC_DYNDNS_WAIT * 1000;
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_THROTTLED, "updating a "
                               "host: %s", dnssync_dyndns_words[i].text);

    case DNSSYNC_DYNDNS_REFUSED:
        dnssync_op_result(op, st->next, DNSSYNC_OUTCOME_REFUSED, "%s",
                          dnssync_dyndns_words[i].text);
        break;

    default:
        dnssync_op_result(op, st->next, DNSSYNC_OUTCOME_DONE, "%s", "");
    }

    st->next++;

    return dnssync_dyndns_next(op);
}


static dnssync_op_step_e
dnssync_dyndns_denied(dnssync_op_t *op, const char *text)
{
    return dnssync_op_fail(op, DNSSYNC_TROUBLE_DENIED, "updating a host: %s",
                           text);
}


const dnssync_driver_t  dnssync_dyndns_driver = {
    .name = "dyndns",
    .settings = dnssync_dyndns_settings,
    .provider = { .values_max = 1, .tag_max = 1024 },
    .rate = 30,
    .period = 60,
    .at_once = 1,
    .blind = 1,
    .init = dnssync_dyndns_init,
    .go = dnssync_dyndns_go,
    .answer = dnssync_dyndns_answer,
    .state = sizeof(dnssync_dyndns_state_t)
};
