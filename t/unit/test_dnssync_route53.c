
/*
 * Route 53, by a script of answers: pages that do not follow one another, what
 * is said of a batch, and which requests are made.
 */

#include "cloud_make.h"


#define XMLNS   " xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\""
#define ZONE(n)  "<HostedZone><Id>/hostedzone/Z1</Id><Name>a.test.</Name>"    \
                 "<Config><PrivateZone>false</PrivateZone></Config>"          \
                 "<ResourceRecordSetCount>" n "</ResourceRecordSetCount>"     \
                 "</HostedZone>"
#define COUNT(n)  "<GetHostedZoneResponse" XMLNS ">" ZONE(n)                  \
                  "</GetHostedZoneResponse>"
#define SET(name, type, value)                                                \
    "<ResourceRecordSet><Name>" name ".</Name><Type>" type "</Type><TTL>60"   \
    "</TTL><ResourceRecords><ResourceRecord><Value>" value "</Value>"         \
    "</ResourceRecord></ResourceRecords></ResourceRecordSet>"
#define PAGE(sets, more)                                                      \
    "<?xml version=\"1.0\"?>\n<ListResourceRecordSetsResponse" XMLNS ">"      \
    "<ResourceRecordSets>" sets "</ResourceRecordSets>" more                  \
    "<MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"
#define LAST  "<IsTruncated>false</IsTruncated>"
#define NEXT(name, type)                                                      \
    "<IsTruncated>true</IsTruncated><NextRecordName>" name "."                \
    "</NextRecordName><NextRecordType>" type "</NextRecordType>"
#define ACCEPTED                                                              \
    "<ChangeResourceRecordSetsResponse" XMLNS "><ChangeInfo><Id>/change/C1"   \
    "</Id><Status>PENDING</Status></ChangeInfo>"                              \
    "</ChangeResourceRecordSetsResponse>"
#define REFUSED(text)                                                         \
    "<InvalidChangeBatch" XMLNS "><Messages><Message>" text "</Message>"      \
    "</Messages><RequestId>1</RequestId></InvalidChangeBatch>"
#define ERROR(code)                                                           \
    "<ErrorResponse" XMLNS "><Error><Type>Sender</Type><Code>" code "</Code>" \
    "<Message>m</Message></Error><RequestId>1</RequestId></ErrorResponse>"

#define CHANGES  "POST https://r53.test/2013-04-01/hostedzone/Z1/rrset/\n"
#define COUNTS   "GET https://r53.test/2013-04-01/hostedzone/Z1\n"
#define PAGES    "GET https://r53.test/2013-04-01/hostedzone/Z1/rrset?"


static const cloud_case_t  test_cases[] = {
    { "zones", DNSSYNC_OP_ZONES, NULL,
      { { "hostedzone?maxitems=100\n", 200,
          "<ListHostedZonesResponse><HostedZones>" ZONE("3") "</HostedZones>"
          "<IsTruncated>true</IsTruncated><NextMarker>Z2</NextMarker>"
          "</ListHostedZonesResponse>" },
        { "hostedzone?marker=Z2&maxitems=100\n", 200,
          "<ListHostedZonesResponse><HostedZones><HostedZone><Id>/hostedzone/Z2"
          "</Id><Name>b.test.</Name><Config><PrivateZone>true</PrivateZone>"
          "</Config></HostedZone></HostedZones><IsTruncated>false"
          "</IsTruncated></ListHostedZonesResponse>" } },
      "a.test Z1 3; b.test Z2 0 private", 0, NULL },
    { "zones, for ever the same page", DNSSYNC_OP_ZONES, NULL,
      { { "maxitems", 200, "<ListHostedZonesResponse><HostedZones/><IsTruncated"
          ">true</IsTruncated><NextMarker>Z</NextMarker>"
          "</ListHostedZonesResponse>" },
        { "maxitems", 200, "<ListHostedZonesResponse><HostedZones/><IsTruncated"
          ">true</IsTruncated><NextMarker>Z</NextMarker>"
          "</ListHostedZonesResponse>" } },
      NULL, DNSSYNC_TROUBLE_ANSWER, NULL },
    { "zones, not told whether that is all", DNSSYNC_OP_ZONES, NULL,
      { { "maxitems", 200, "<ListHostedZonesResponse><HostedZones/>"
          "</ListHostedZonesResponse>" } },
      NULL, DNSSYNC_TROUBLE_ANSWER, "not whole" },

    { "an empty answer", DNSSYNC_OP_LIST, "",
      { { COUNTS, 200, COUNT("1") }, { PAGES, 200, "" } },
      NULL, DNSSYNC_TROUBLE_ANSWER, "a.test" },
    { "two pages", DNSSYNC_OP_LIST, "",
      { { COUNTS, 200, COUNT("2") },
        { PAGES "maxitems=300\n", 200,
          PAGE(SET("\\052.a.test", "A", "192.0.2.1"),
               NEXT("b.a.test", "TXT")) },
        { PAGES "maxitems=300&name=b.a.test.&type=TXT\n", 200,
          PAGE(SET("b.a.test", "TXT", "&quot;x \\\"y\\\" \\303\\251&quot;"),
               LAST) } },
      "*.a.test A 60 192.0.2.1; b.a.test TXT 60 x \"y\" \xc3\xa9", 0, NULL },
    { "a page that does not follow the one before", DNSSYNC_OP_LIST, "",
      { { COUNTS, 200, COUNT("2") },
        { PAGES, 200, PAGE(SET("a.test", "A", "192.0.2.1"),
                           NEXT("b.a.test", "A")) },
        { PAGES, 200, PAGE(SET("c.a.test", "A", "192.0.2.1"), LAST) },
        { COUNTS, 200, COUNT("1") },
        { PAGES "maxitems=300\n", 200, PAGE(SET("a.test", "A", "192.0.2.2"),
                                            LAST) } },
      "a.test A 60 192.0.2.2", 0, NULL },
    { "a set too few, each time", DNSSYNC_OP_LIST, "",
      { { COUNTS, 200, COUNT("2") },
        { PAGES, 200, PAGE(SET("a.test", "A", "192.0.2.1"), LAST) },
        { COUNTS, 200, COUNT("2") }, { COUNTS, 200, COUNT("2") },
        { PAGES, 200, PAGE(SET("a.test", "A", "192.0.2.1"), LAST) },
        { COUNTS, 200, COUNT("2") }, { COUNTS, 200, COUNT("2") },
        { PAGES, 200, PAGE(SET("a.test", "A", "192.0.2.1"), LAST) },
        { COUNTS, 200, COUNT("2") } },
      NULL, DNSSYNC_TROUBLE_ANSWER, "1 sets were read, and it says that it has "
      "2" },
    { "another zone's number", DNSSYNC_OP_LIST, "",
      { { COUNTS, 200, "<GetHostedZoneResponse><HostedZone><Id>/hostedzone/Z9"
          "</Id><Name>a.test.</Name><ResourceRecordSetCount>1"
          "</ResourceRecordSetCount></HostedZone></GetHostedZoneResponse>" } },
      NULL, DNSSYNC_TROUBLE_ANSWER, NULL },
    { "a set without a name", DNSSYNC_OP_LIST, "",
      { { COUNTS, 200, COUNT("1") },
        { PAGES, 200, PAGE("<ResourceRecordSet><Type>A</Type>"
                           "</ResourceRecordSet>", LAST) } },
      NULL, DNSSYNC_TROUBLE_ANSWER, NULL },
    { "routing and aliases", DNSSYNC_OP_LIST, "",
      { { COUNTS, 200, COUNT("2") },
        { PAGES, 200, PAGE("<ResourceRecordSet><Name>x.a.test.</Name><Type>A"
          "</Type><SetIdentifier>eu</SetIdentifier><GeoLocation><CountryCode>DE"
          "</CountryCode></GeoLocation><AliasTarget><HostedZoneId>Z1"
          "</HostedZoneId><DNSName>Y.a.test.</DNSName><EvaluateTargetHealth>"
          "false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet>"
          "<ResourceRecordSet><Name>z.a.test.</Name><Type>A</Type>"
          "<CidrRoutingConfig><CollectionId>c</CollectionId>"
          "</CidrRoutingConfig><TTL>1</TTL><ResourceRecords><ResourceRecord>"
          "<Value>192.0.2.1</Value></ResourceRecord></ResourceRecords>"
          "</ResourceRecordSet>", LAST) } },
      "x.a.test A 0 y.a.test aws/geolocation-country-code=DE alias=true; "
      "z.a.test A 1 192.0.2.1 aws/strange=CidrRoutingConfig", 0, NULL },

    { "a probe", DNSSYNC_OP_PROBE, "sets=2", { { COUNTS, 200, COUNT("2") } },
      "same", 0, NULL },
    { "a probe that finds more", DNSSYNC_OP_PROBE, "sets=2",
      { { COUNTS, 200, COUNT("3") } }, "", 0, NULL },

    { "a new host: its other addresses are looked for", DNSSYNC_OP_APPLY,
      "+b.a.test A 192.0.2.1, !b.a.test AAAA, !b.a.test CNAME",
      { { PAGES "maxitems=20&name=b.a.test.\n", 200, PAGE("", LAST) },
        { "<Action>CREATE</Action><ResourceRecordSet><Name>b.a.test.</Name>"
          "<Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>"
          "192.0.2.1</Value>", 200, ACCEPTED } }, "done", 0, NULL },
    { "a new host that has AAAA by now", DNSSYNC_OP_APPLY,
      "+b.a.test A 192.0.2.1, !b.a.test AAAA",
      { { PAGES, 200, PAGE(SET("b.a.test", "AAAA", "2001:db8::1"), LAST) } },
      "lost", 0, NULL },
    { "a change: deleted and created", DNSSYNC_OP_APPLY,
      "-b.a.test A 192.0.2.1, +b.a.test A 192.0.2.2, =m.a.test TXT x\\sy",
      { { "<Action>DELETE</Action><ResourceRecordSet><Name>b.a.test.</Name>"
          "<Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>"
          "192.0.2.1</Value></ResourceRecord></ResourceRecords>"
          "</ResourceRecordSet></Change>\n<Change><Action>DELETE</Action>"
          "<ResourceRecordSet><Name>m.a.test.</Name><Type>TXT</Type><TTL>60"
          "</TTL><ResourceRecords><ResourceRecord><Value>&quot;x y&quot;"
          "</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
          "</Change>\n<Change><Action>CREATE</Action><ResourceRecordSet><Name>"
          "m.a.test.</Name>", 200, ACCEPTED } }, "done", 0, NULL },
    { "the same set twice: two batches", DNSSYNC_OP_APPLY,
      "+b.a.test A 192.0.2.1; -b.a.test A 192.0.2.1",
      { { CHANGES, 200, ACCEPTED }, { CHANGES, 200, ACCEPTED } },
      "done done", 0, NULL },
    { "the third of four is at fault", DNSSYNC_OP_APPLY,
      "+b.a.test A 192.0.2.1; +c.a.test A 192.0.2.1; +d.a.test A 192.0.2.1; "
      "+e.a.test A 192.0.2.1",
      { { CHANGES, 400, REFUSED("Tried to, but it already exists") },
        { "<Name>b.a.test.", 200, ACCEPTED },
        { "<Name>d.a.test.", 400, REFUSED("bad record") },
        { "<Name>e.a.test.", 200, ACCEPTED } },
      "done done refused done", 0, NULL },
    { "what was there is another", DNSSYNC_OP_APPLY, "-b.a.test A 192.0.2.1",
      { { CHANGES, 400, REFUSED("the values provided do not match the current "
                                "values") } }, "lost", 0, NULL },
    { "busy, then done", DNSSYNC_OP_APPLY, "+b.a.test A 192.0.2.1",
      { { CHANGES, 400, ERROR("PriorRequestNotComplete") },
        { CHANGES, 400, ERROR("Throttling") }, { CHANGES, 200, ACCEPTED } },
      "done", 0, NULL },
    { "no answer", DNSSYNC_OP_APPLY, "+b.a.test A 192.0.2.1",
      { { CHANGES, 0, NULL } }, "unsure", DNSSYNC_TROUBLE_DOWN, "it is down" },
    { "an answer of another kind", DNSSYNC_OP_APPLY, "+b.a.test A 192.0.2.1",
      { { CHANGES, 200, "<html/>" } }, "unsure", DNSSYNC_TROUBLE_ANSWER,
      NULL },
    { "no right", DNSSYNC_OP_APPLY, "+b.a.test A 192.0.2.1",
      { { CHANGES, 403, ERROR("AccessDenied") } }, "later",
      DNSSYNC_TROUBLE_DENIED, "AccessDenied" },

    { "a challenge beside another", DNSSYNC_OP_CHALLENGE, "+new",
      { { PAGES "maxitems=1&name=c.a.test.&type=TXT\n", 200,
          PAGE(SET("c.a.test", "TXT", "&quot;old&quot;"), LAST) },
        { "<Value>&quot;old&quot;</Value></ResourceRecord><ResourceRecord>"
          "<Value>&quot;new&quot;</Value>", 200, ACCEPTED } }, "", 0, NULL },
    { "a challenge that is there", DNSSYNC_OP_CHALLENGE, "+old",
      { { PAGES, 200, PAGE(SET("c.a.test", "TXT", "&quot;old&quot;"), LAST) }
      }, "", 0, NULL },
    { "a challenge, and another at the same time", DNSSYNC_OP_CHALLENGE,
      "+new",
      { { PAGES, 200, PAGE(SET("d.a.test", "TXT", "x"), LAST) },
        { CHANGES, 400, REFUSED("but it already exists") },
        { PAGES, 200, PAGE(SET("c.a.test", "TXT", "&quot;old&quot;"), LAST) },
        { CHANGES, 200, ACCEPTED } }, "", 0, NULL },
    { "the last challenge goes", DNSSYNC_OP_CHALLENGE, "-old",
      { { PAGES, 200, PAGE(SET("c.a.test", "TXT", "&quot;old&quot;"), LAST) },
        { "<Action>DELETE</Action>", 200, ACCEPTED } }, "", 0, NULL }
};


static const struct {
    const char        *name;
    dnssync_option_t   settings[2];
    const char        *why;
} test_settings[] = {
    { "a key without its secret",
      { { torii_string("aws-access-key-id"), torii_string("AK") } },
      "have to be there both" },
    { "a role without a token",
      { { torii_string("aws-role-arn"), torii_string("arn:aws:iam::1:role/x") }
      }, "aws-web-identity-token" },
    { "a URL that is none",
      { { torii_string("api-url"), torii_string("ftp://x") } }, "api-url" }
};


static void
test_init(void)
{
    size_t              i;
    torii_str_t         why;
    dnssync_option_t    settings[3];
    dnssync_account_t  *account;

    for (i = 0; i < sizeof(test_settings) / sizeof(test_settings[0]); i++) {
        settings[0] = test_settings[i].settings[0];
        settings[1].name = torii_str("provider");
        settings[1].value = torii_str("aws");
        settings[2].name = torii_str("txt-owner-id");
        settings[2].value = torii_str("me");

        account = dnssync_account_create(torii_str("a/b"), settings, 3, &why);
        why = torii_arena_str(account->arena, why);
        tap_ok(strstr((char *) why.data, test_settings[i].why) != NULL, "%s",
               test_settings[i].name);
        dnssync_account_free(account);
    }
}


/* An alias becomes addresses, since Route 53 has it so. */

static void
test_adjust(cloud_t *w)
{
    dnssync_op_t        *op;
    torii_str_t          target;
    dnssync_option_t     options[2];
    dnssync_endpoint_t   e[3];

    memset(e, 0, sizeof(e));
    target = torii_str("lb.test");
    options[0].name = torii_str("alias");
    options[0].value = torii_str("true");
    options[1].name = torii_str("aws/target-hosted-zone");
    options[1].value = torii_str("Z9");

    e[0].type = e[1].type = e[2].type = DNSSYNC_CNAME;
    e[0].targets = e[1].targets = e[2].targets = &target;
    e[0].n = e[1].n = e[2].n = 1;
    e[1].options = e[2].options = options;
    e[1].noptions = 1;
    e[2].noptions = 2;

    op = dnssync_op_create(w->account, DNSSYNC_OP_ADJUST);
    op->endpoints = e;
    op->nendpoints = 3;

    tap_ok(dnssync_op_go(op, CLOUD_NOW) == DNSSYNC_OP_DONE
           && op->nendpoints == 4
           && op->endpoints[0].type == DNSSYNC_CNAME
           && op->endpoints[1].type == DNSSYNC_A
           && op->endpoints[2].type == DNSSYNC_A
           && op->endpoints[3].type == DNSSYNC_AAAA
           && op->endpoints[3].noptions == 3, "aliases are adjusted");

    dnssync_op_free(op);
}


int
main(void)
{
    size_t   i;
    cloud_t  w;

    static const dnssync_option_t  settings[] = {
        { torii_string("provider"), torii_string("route53") },
        { torii_string("txt-owner-id"), torii_string("me") },
        { torii_string("api-url"), torii_string("https://r53.test") },
        { torii_string("aws-access-key-id"), torii_string("AKIDEXAMPLE") },
        { torii_string("aws-secret-access-key"), torii_string("topsecret") }
    };

    cloud_start(&w, "Z1", settings, 5);

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        cloud_run(&w, &test_cases[i], 1);
    }

    test_adjust(&w);
    cloud_end(&w);
    test_init();

    return tap_done();
}
