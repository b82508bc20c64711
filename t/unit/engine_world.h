
/*
 * The engine between objects and the servers of engine_server.h, in a time that
 * passes at once.
 */

#ifndef _ENGINE_WORLD_H_INCLUDED_
#define _ENGINE_WORLD_H_INCLUDED_


#include "engine_server.h"


static inline void
world_answer(world_t *w, world_reply_t *r)
{
    world_reply_t     reply;
    dnssync_answer_t  answer;

    reply = *r;
    r->arena = NULL;

    memset(&answer, 0, sizeof(dnssync_answer_t));

    if (reply.trouble == DNSSYNC_TROUBLES) {
        answer.error = "timed out";

    } else {
        answer.body.data = (unsigned char *) &reply;
        answer.body.len = sizeof(world_reply_t);
    }

    (void) dnssync_engine_answer(w->e, w->now, reply.ticket, &answer);
    torii_arena_destroy(reply.arena);
}


static inline void
world_save(world_t *w, const dnssync_action_t *action)
{
    uint32_t  i;

    w->saves++;

    for (i = 0; i < w->nfiles; i++) {
        if (torii_str_eqs(action->name, w->files[i].name)) {
            break;
        }
    }

    if (i == w->nfiles) {
        snprintf(w->files[w->nfiles++].name, 40, "%.*s",
                 torii_str_arg(action->name));
    }

    w->files[i].data.len = 0;
    torii_buf_add_str(&w->files[i].data, action->data);
}


static inline void
world_do(world_t *w, const dnssync_action_t *action)
{
    switch (action->what) {

    case DNSSYNC_DO_SEND:
        world_send(w, action);
        return;

    case DNSSYNC_DO_RESOLVE:
        w->resolves++;
        dnssync_engine_resolved(w->e, w->now, action->ticket, &w->resolved,
                                w->resolved.len != 0, 300);
        return;

    case DNSSYNC_DO_VERIFY:
        w->verifies++;
        dnssync_engine_verified(w->e, w->now + 1, action->ticket, NULL);
        return;

    case DNSSYNC_DO_SERVERS:
        w->delegations++;
        dnssync_engine_servers(w->e, w->now, action->ticket, w->silent,
                               w->parent, w->silent ? 0 : w->nparent);
        return;

    case DNSSYNC_DO_SAVE:
        world_save(w, action);
        return;

    case DNSSYNC_DO_CHALLENGED:
        w->challenged++;
        w->challenge_error = action->error
                             ? (char *) torii_arena_str(w->a,
                                            torii_str(action->error)).data
                             : NULL;
        return;

    case DNSSYNC_DO_CHANGED:
        w->changes++;
        return;
    }
}


/* Until then, or (idle) until there is nothing to do. */

static inline void
world_run(world_t *w, uint64_t time, int idle)
{
    uint32_t          i, wait, busy;
    uint64_t          until, next;
    dnssync_action_t  action;

    until = w->now + time;

    for (busy = 0; busy < 1000000; busy++) {

        for (i = 0; i < WORLD_PENDING; i++) {
            if (w->pending[i].arena != NULL && w->pending[i].at <= w->now) {
                world_answer(w, &w->pending[i]);
            }
        }

        if (dnssync_engine_next(w->e, w->now, &action, &wait) == TORII_OK) {
            world_do(w, &action);
            continue;
        }

        if (w->now >= until || (idle && dnssync_engine_idle(w->e))) {
            return;
        }

        next = w->now + wait;

        for (i = 0; i < WORLD_PENDING; i++) {
            if (w->pending[i].arena != NULL && w->pending[i].at < next) {
                next = w->pending[i].at;
            }
        }

        if (next > w->now) {
            busy = 0;
        }

        w->now = (next < until) ? next : until;
    }

    tap_ok(0, "the engine comes to rest");
}


static inline void
world_account(world_t *w, uint32_t i, const dnssync_driver_t *driver)
{
    dnssync_account_t  *account;

    account = torii_zalloc(sizeof(dnssync_account_t));

    account->driver = driver;
    account->arena = torii_arena_create(256);
    account->name = torii_arena_printf(account->arena, "default/dns-%u", i);
    account->interval = w->interval;
    account->hash = w->hash[i];
    account->conf = w->conf[i];

    dnssync_engine_account(w->e, w->now, account);
}


static inline void
world_accounts(world_t *w, const dnssync_driver_t *driver)
{
    uint32_t  i;

    dnssync_engine_begin(w->e);

    for (i = 0; i < w->naccounts; i++) {
        world_account(w, i, driver);
    }

    dnssync_engine_end(w->e, w->now);
}


static inline void
world_objects(world_t *w)
{
    uint32_t            i, n;
    dnssync_view_t      view;
    dnssync_object_t   *objects;
    dnssync_option_t    target;
    dnssync_objects_t   all;

    memset(&all, 0, sizeof(dnssync_objects_t));
    memset(&view, 0, sizeof(dnssync_view_t));

    objects = torii_zalloc((w->nhosts + 1) * sizeof(dnssync_object_t));

    target.name = torii_str("external-dns.kubernetes.io/target");
    target.value = torii_str(w->target ? w->target : "");

    for (i = 0, n = 0; i < w->nhosts; i++) {

        if (w->there[i]) {
            objects[n].resource = torii_str("ingress/default/app");
            objects[n].created = 1;
            objects[n].hosts = &w->hosts[i];
            objects[n].annotations = &target;
            objects[n].nannotations = (w->target != NULL);
            objects[n++].n = 1;
        }
    }

    view.name = torii_str("public");
    view.addresses = &w->address;
    view.n = w->unaddressed ? 0 : 1;

    all.conf.views = &view;
    all.conf.nviews = 1;
    all.objects = objects;
    all.n = n;
    all.gone = &w->gone;
    all.ngone = (w->gone.len != 0);
    all.complete = !w->incomplete;

    dnssync_engine_source(w->e, w->now, &all);

    free(objects);
}


static inline void
world_host(world_t *w, const char *name)
{
    w->hosts = torii_realloc(w->hosts, (w->nhosts + 1) * sizeof(torii_str_t));
    w->there = torii_realloc(w->there, w->nhosts + 1);

    w->hosts[w->nhosts] = torii_arena_str(w->a, torii_str(name));
    w->there[w->nhosts++] = 1;
}


static inline void
world_hosts(world_t *w, uint32_t n, const char *zone)
{
    char      name[64];
    uint32_t  i;

    for (i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "h%05u.%s", i, zone);
        world_host(w, name);
    }
}


static inline void
world_start(world_t *w)
{
    uint32_t  i;

    memset(w, 0, sizeof(world_t));
    world = w;

    w->a = torii_arena_create(64 * 1024);
    w->now = WORLD_START;
    w->random = 1;
    w->latency = 20;
    w->interval = 60;
    w->naccounts = 1;
    w->address = torii_str("192.0.2.1");

    for (i = 0; i < WORLD_SERVERS; i++) {
        w->conf[i].registry.id = torii_str("me");
        w->conf[i].policy = DNSSYNC_SYNC;
        w->hash[i] = 1;
    }
}


/* A process: with what the last one saved, unless it is lost. */

static inline void
world_boot(world_t *w, const dnssync_driver_t *driver, int remember)
{
    char                   name[16];
    uint32_t               i;
    dnssync_engine_conf_t  conf;

    memset(&conf, 0, sizeof(dnssync_engine_conf_t));

    snprintf(name, sizeof(name), "w%u.%u", w->writer, ++w->instance);

    conf.instance = torii_str(name);
    conf.seed = w->seed;
    conf.delegation = (w->parent != NULL);

    w->e = dnssync_engine_create(&conf, w->now);

    for (i = 0; remember && i < w->nfiles; i++) {
        torii_str_t  data;

        data.data = w->files[i].data.data;
        data.len = w->files[i].data.len;

        (void) dnssync_engine_load(w->e, torii_str(w->files[i].name), data);
    }

    world_accounts(w, driver);
    world_objects(w);
    dnssync_engine_lead(w->e, w->now, 1, 0);
}


static inline void
world_stop(world_t *w)
{
    uint32_t  i;

    dnssync_engine_free(w->e);
    w->e = NULL;

    for (i = 0; i < WORLD_PENDING; i++) {
        if (w->pending[i].arena != NULL) {
            torii_arena_destroy(w->pending[i].arena);
            w->pending[i].arena = NULL;
        }
    }
}


static inline void
world_end(world_t *w)
{
    uint32_t  i, k;

    if (w->e != NULL) {
        world_stop(w);
    }

    for (i = 0; i < WORLD_SERVERS; i++) {
        for (k = 0; k < w->servers[i].nzones; k++) {
            free(w->servers[i].zones[k].slots);
        }
    }

    for (i = 0; i < WORLD_FILES; i++) {
        torii_buf_free(&w->files[i].data);
    }

    free(w->hosts);
    free(w->there);
    torii_arena_destroy(w->a);
}


/* Of the hosts that are wanted: how many the servers answer right. */

static inline uint32_t
world_right(world_t *w)
{
    uint32_t          i, s, z, n;
    torii_str_t       none;
    dnssync_rrset_t  *set;

    memset(&none, 0, sizeof(torii_str_t));

    for (i = 0, n = 0; i < w->nhosts; i++) {
        for (s = 0; w->there[i] && s < w->naccounts; s++) {
            for (z = 0; z < w->servers[s].nzones; z++) {
                set = world_get(&w->servers[s].zones[z], w->hosts[i], none,
                                DNSSYNC_A);
                n += (set != NULL && set->n == 1
                      && torii_str_eq(set->values[0], w->address));
            }
        }
    }

    return n;
}


static inline uint32_t
world_writes(const world_server_t *s)
{
    uint32_t  i, n;

    for (i = 0, n = 0; i <= DNSSYNC_EDIT_DELETE; i++) {
        n += (i != DNSSYNC_EDIT_LOCK) ? s->edits[i] : 0;
    }

    return n;
}


static inline void
world_forget(world_server_t *s)
{
    s->requests = 0;
    s->first = 0;
    s->last = 0;
    memset(s->kinds, 0, sizeof(s->kinds));
    memset(s->edits, 0, sizeof(s->edits));
}


static inline int
world_told(const world_t *w, const char *why)
{
    int               n;
    uint32_t          i;
    dnssync_notice_t  notice;

    n = 0;

    for (i = 0; dnssync_engine_notice(w->e, i, &notice) == TORII_OK; i++) {
        n += (strcmp(notice.why, why) == 0);
    }

    return n;
}


#endif /* _ENGINE_WORLD_H_INCLUDED_ */
