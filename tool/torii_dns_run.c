
/*
 * The engine, run to its end by one thread that waits for each answer.
 */

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <time.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#include "torii_dns.h"


#define TORII_DNS_LIMIT      1800000   /* ms */
#define TORII_DNS_WAIT       1000      /* ms, before it is asked again */
#define TORII_DNS_ADDRESSES  32
#define TORII_DNS_TTL        300


static void torii_dns_do(torii_dns_sender_t *sender, dnssync_engine_t *engine,
    const dnssync_action_t *action);
static void torii_dns_resolve(dnssync_engine_t *engine,
    const dnssync_action_t *action);


static uint64_t  torii_dns_skipped;


uint64_t
torii_dns_now(void)
{
    struct timespec  t;

    (void) clock_gettime(CLOCK_REALTIME, &t);

    return (uint64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000
           + torii_dns_skipped;
}


/* Little, as those who check what we sign look at the time, too. */

void
torii_dns_skip(uint32_t ms)
{
    torii_dns_skipped += ms;
}


int
torii_dns_run(dnssync_engine_t *engine)
{
    int                  rc;
    uint32_t             wait;
    uint64_t             until;
    dnssync_action_t     action;
    torii_dns_sender_t  *sender;

    sender = torii_dns_sender_create();
    until = torii_dns_now() + TORII_DNS_LIMIT;
    rc = TORII_ERROR;

    while (torii_dns_now() < until) {
        memset(&action, 0, sizeof(dnssync_action_t));
        wait = 0;

        if (dnssync_engine_next(engine, torii_dns_now(), &action, &wait)
            == TORII_OK)
        {
            torii_dns_do(sender, engine, &action);
            continue;
        }

        if (dnssync_engine_idle(engine)) {
            rc = TORII_OK;
            break;
        }

        if (wait) {
            (void) poll(NULL, 0, wait < TORII_DNS_WAIT ? (int) wait
                                                       : TORII_DNS_WAIT);
        }
    }

    torii_dns_sender_free(sender);

    return rc;
}


/* Nothing is kept, and servers that copy from another need not be waited for:
   a gateway would. */

static void
torii_dns_do(torii_dns_sender_t *sender, dnssync_engine_t *engine,
    const dnssync_action_t *action)
{
    switch (action->what) {

    case DNSSYNC_DO_SEND:
        torii_dns_send(sender, engine, action);
        break;

    case DNSSYNC_DO_RESOLVE:
        torii_dns_resolve(engine, action);
        break;

    case DNSSYNC_DO_VERIFY:
        dnssync_engine_verified(engine, torii_dns_now(), action->ticket,
                                NULL);
        break;

    default:
        break;
    }
}


static void
torii_dns_resolve(dnssync_engine_t *engine, const dnssync_action_t *action)
{
    char              text[TORII_DNS_ADDRESSES][INET6_ADDRSTRLEN];
    char              host[DNSSYNC_HOST_MAX + 1];
    uint32_t          n;
    const void       *address;
    torii_str_t       values[TORII_DNS_ADDRESSES];
    struct addrinfo   hints, *found, *i;

    memset(&hints, 0, sizeof(struct addrinfo));
    hints.ai_socktype = SOCK_STREAM;

    (void) snprintf(host, sizeof(host), "%.*s", torii_str_arg(action->name));

    found = NULL;
    n = 0;

    (void) getaddrinfo(host, NULL, &hints, &found);

    for (i = found; i && n < TORII_DNS_ADDRESSES; i = i->ai_next) {

        if (i->ai_family == AF_INET) {
            address = &((struct sockaddr_in *) i->ai_addr)->sin_addr;

        } else if (i->ai_family == AF_INET6) {
            address = &((struct sockaddr_in6 *) i->ai_addr)->sin6_addr;

        } else {
            continue;
        }

        if (inet_ntop(i->ai_family, address, text[n], INET6_ADDRSTRLEN)) {
            values[n] = torii_str(text[n]);
            n++;
        }
    }

    if (found) {
        freeaddrinfo(found);
    }

    dnssync_engine_resolved(engine, torii_dns_now(), action->ticket, values, n,
                            TORII_DNS_TTL);
}
