
/*
 * Addresses of a network interface that others may be told of, by rtnetlink(7),
 * which knows what getifaddrs(3) does not: an address that is about to go, one
 * that is not sure to be ours yet, one that changes every day.  It also says
 * when there is something to be looked at; what that is, only a look tells.
 */

#include "ngx_torii_interface.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>


#define NGX_TORII_INTERFACE_BUFFER  32768
#define NGX_TORII_INTERFACE_ROUNDS  64       /* reads of one dump */
#define NGX_TORII_INTERFACE_TURN    16       /* of messages, at once */

#define NGX_TORII_INTERFACE_UNFIT                                             \
    (IFA_F_TENTATIVE|IFA_F_DADFAILED|IFA_F_DEPRECATED|IFA_F_TEMPORARY)


typedef struct {
    ngx_uint_t               index;      /* 0: all */
    ngx_torii_interface_pt   visit;
    void                    *data;
} ngx_torii_interface_look_t;


static ngx_int_t ngx_torii_interface_ask(int fd);
static ngx_int_t ngx_torii_interface_read(int fd,
    const ngx_torii_interface_look_t *look);
static void ngx_torii_interface_message(
    const ngx_torii_interface_look_t *look, struct nlmsghdr *h);
static ngx_uint_t ngx_torii_interface_links(int family, const u_char *p);
static ngx_int_t ngx_torii_interface_listen(ngx_torii_interface_watch_t *w,
    int fd);
static void ngx_torii_interface_handler(ngx_event_t *ev);
static void ngx_torii_interface_lost(ngx_torii_interface_watch_t *w,
    ngx_err_t err);


ngx_int_t
ngx_torii_interface_each(const char *name, ngx_torii_interface_pt visit,
    void *data)
{
    int                         fd;
    ngx_int_t                   rc;
    struct timeval              tv;
    ngx_torii_interface_look_t  look;

    look.index = name ? if_nametoindex(name) : 0;
    look.visit = visit;
    look.data = data;

    if (name && look.index == 0) {
        return NGX_DECLINED;
    }

    fd = socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd == -1) {
        return NGX_ERROR;
    }

    /* the kernel answers at once; whatever happens, nothing waits for it */

    tv.tv_sec = 0;
    tv.tv_usec = 100000;
    (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));

    rc = ngx_torii_interface_ask(fd);

    if (rc == NGX_OK) {
        rc = ngx_torii_interface_read(fd, &look);
    }

    close(fd);

    return rc;
}


static ngx_int_t
ngx_torii_interface_ask(int fd)
{
    struct {
        struct nlmsghdr   header;
        struct ifaddrmsg  message;
    } req;

    ngx_memzero(&req, sizeof(req));

    req.header.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg));
    req.header.nlmsg_type = RTM_GETADDR;
    req.header.nlmsg_flags = NLM_F_REQUEST|NLM_F_DUMP;
    req.message.ifa_family = AF_UNSPEC;

    return send(fd, &req, req.header.nlmsg_len, 0)
           == (ssize_t) req.header.nlmsg_len ? NGX_OK : NGX_ERROR;
}


/* Without the end of the dump nothing is known. */

static ngx_int_t
ngx_torii_interface_read(int fd, const ngx_torii_interface_look_t *look)
{
    ssize_t           n;
    ngx_uint_t        i;
    struct nlmsghdr  *h;

    union {
        struct nlmsghdr  header;
        u_char           bytes[NGX_TORII_INTERFACE_BUFFER];
    } buf;

    for (i = 0; i < NGX_TORII_INTERFACE_ROUNDS; i++) {

        n = recv(fd, buf.bytes, sizeof(buf), 0);

        if (n <= 0) {
            return NGX_ERROR;
        }

        for (h = &buf.header; NLMSG_OK(h, (size_t) n); h = NLMSG_NEXT(h, n)) {

            if (h->nlmsg_type == NLMSG_DONE) {
                return NGX_OK;
            }

            if (h->nlmsg_type == NLMSG_ERROR
                || (h->nlmsg_flags & NLM_F_DUMP_INTR))
            {
                return NGX_ERROR;
            }

            if (h->nlmsg_type == RTM_NEWADDR) {
                ngx_torii_interface_message(look, h);
            }
        }
    }

    return NGX_ERROR;
}


/* IFA_LOCAL is ours, where IFA_ADDRESS is that of the other end of a link. */

static void
ngx_torii_interface_message(const ngx_torii_interface_look_t *look,
    struct nlmsghdr *h)
{
    int                len, family;
    size_t             size;
    uint32_t           flags;
    const u_char      *local, *address;
    struct rtattr     *attr;
    struct ifaddrmsg  *message;

    message = NLMSG_DATA(h);
    len = IFA_PAYLOAD(h);
    family = message->ifa_family;

    if ((look->index && message->ifa_index != look->index)
        || (family != AF_INET && family != AF_INET6))
    {
        return;
    }

    size = (family == AF_INET) ? 4 : 16;
    flags = message->ifa_flags;
    local = NULL;
    address = NULL;

    for (attr = IFA_RTA(message); RTA_OK(attr, len);
         attr = RTA_NEXT(attr, len))
    {
        if (attr->rta_type == IFA_FLAGS
            && RTA_PAYLOAD(attr) >= sizeof(uint32_t))
        {
            ngx_memcpy(&flags, RTA_DATA(attr), sizeof(uint32_t));

        } else if (attr->rta_type == IFA_LOCAL && RTA_PAYLOAD(attr) >= size) {
            local = RTA_DATA(attr);

        } else if (attr->rta_type == IFA_ADDRESS && RTA_PAYLOAD(attr) >= size)
        {
            address = RTA_DATA(attr);
        }
    }

    local = local ? local : address;

    if (local == NULL || (flags & NGX_TORII_INTERFACE_UNFIT)
        || ngx_torii_interface_links(family, local))
    {
        return;
    }

    look->visit(look->data, family, local);
}


/* Nobody reaches us by an address that counts on its own link only. */

static ngx_uint_t
ngx_torii_interface_links(int family, const u_char *p)
{
    if (family == AF_INET) {
        return p[0] == 169 && p[1] == 254;
    }

    return p[0] == 0xfe && (p[1] & 0xc0) == 0x80;
}


ngx_int_t
ngx_torii_interface_watch(ngx_torii_interface_watch_t *w)
{
    int                 fd;
    struct sockaddr_nl  sa;

    if (w->connection) {
        return NGX_OK;
    }

    ngx_memzero(&sa, sizeof(struct sockaddr_nl));

    sa.nl_family = AF_NETLINK;
    sa.nl_groups = RTMGRP_IPV4_IFADDR|RTMGRP_IPV6_IFADDR;

    fd = socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC|SOCK_NONBLOCK,
                NETLINK_ROUTE);

    if (fd != -1
        && bind(fd, (struct sockaddr *) &sa, sizeof(struct sockaddr_nl)) == 0
        && ngx_torii_interface_listen(w, fd) == NGX_OK)
    {
        w->told = 0;
        return NGX_OK;
    }

    if (!w->told) {
        w->told = 1;
        ngx_log_error(NGX_LOG_WARN, w->log, ngx_errno,
                      "torii: changes of network interfaces are not told, "
                      "they are looked at instead");
    }

    if (fd != -1) {
        close(fd);
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_torii_interface_listen(ngx_torii_interface_watch_t *w, int fd)
{
    ngx_connection_t  *c;

    c = ngx_get_connection(fd, w->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = w;
    c->log = w->log;
    c->read->log = w->log;
    c->write->log = w->log;
    c->read->handler = ngx_torii_interface_handler;
    c->read->resolver = 1;             /* it may be open at the end */

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;
        return NGX_ERROR;
    }

    w->connection = c;

    return NGX_OK;
}


/* ENOBUFS: there were more messages than the socket takes; they are not read
   for what they say. */

static void
ngx_torii_interface_handler(ngx_event_t *ev)
{
    ssize_t                       n;
    ngx_err_t                     err;
    ngx_uint_t                    i;
    ngx_connection_t             *c;
    ngx_torii_interface_watch_t  *w;

    u_char  buf[8192];

    c = ev->data;
    w = c->data;

    for (i = 0, err = 0; i < NGX_TORII_INTERFACE_TURN; i++) {

        n = recv(c->fd, buf, sizeof(buf), 0);

        if (n == 0) {
            err = ECONNRESET;
            break;
        }

        err = (n == -1) ? ngx_errno : 0;

        if (err && err != NGX_EINTR && err != ENOBUFS) {
            break;
        }
    }

    if (err && err != NGX_EAGAIN && err != NGX_EINTR && err != ENOBUFS) {
        ngx_torii_interface_lost(w, err);
    }

    w->changed(w->data);
}


static void
ngx_torii_interface_lost(ngx_torii_interface_watch_t *w, ngx_err_t err)
{
    ngx_connection_t  *c;

    c = w->connection;
    w->connection = NULL;

    ngx_log_error(NGX_LOG_WARN, w->log, err,
                  "torii: changes of network interfaces are told no more");

    (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);

    close(c->fd);
    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;
}


ngx_uint_t
ngx_torii_interface_private(torii_str_t text)
{
    char    buf[INET6_ADDRSTRLEN];
    u_char  p[16];

    if (text.len >= sizeof(buf)) {
        return 0;
    }

    ngx_memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';

    if (inet_pton(AF_INET, buf, p) == 1) {
        return p[0] == 10 || p[0] == 127
               || (p[0] == 172 && (p[1] & 0xf0) == 16)
               || (p[0] == 192 && p[1] == 168)
               || (p[0] == 100 && (p[1] & 0xc0) == 64);
    }

    if (inet_pton(AF_INET6, buf, p) == 1) {
        return (p[0] & 0xfe) == 0xfc
               || IN6_IS_ADDR_LOOPBACK((struct in6_addr *) p);
    }

    return 0;
}
