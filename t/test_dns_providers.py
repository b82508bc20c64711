"""
One gateway, and a zone at the stand-in of each provider.
"""

import json
import subprocess

import pytest

import cloud
import gateway as gateways
import manifest
import nginx
import provider
import records
from records import ADDRESS

GATEWAY = dict(http=f"torii_publish {ADDRESS}; torii_dns owner=gateway-a;")
TORII = gateways.OBJS.resolve() / "torii"


class StandIn:
    def __init__(self, peer, sets, **settings):
        self.peer, self.sets, self.settings = peer, sets, settings
        self.zone = f"{settings['provider']}.test"

    def address(self, name):
        return self.sets().get((f"{name}.{self.zone}", "A"))

    def writes(self):
        return sum(entry["method"] not in ("GET", "HEAD")
                   and not any(word in entry["url"] for word in
                               ("token", "adjust"))
                   for entry in self.peer.log())


def cloudflare():
    peer = provider.Cloudflare("cloudflare.test")
    return StandIn(peer, lambda: peer.sets("cloudflare.test"),
                   provider="cloudflare", cloudflare_api_token=peer.token,
                   cloudflare_api_url=peer.api)


def digitalocean():
    zone = "digitalocean.test"
    peer = provider.DigitalOcean(zone)
    return StandIn(
        peer, lambda: {(f"{name}.{zone}", kind): values
                       for (name, kind), values in peer.sets(zone).items()},
        provider="digitalocean", digitalocean_token=peer.token,
        digitalocean_api_url=peer.url)


def webhook():
    peer = provider.Webhook()
    return StandIn(peer, peer.sets, provider="webhook",
                   webhook_provider_url=peer.url,
                   domain_filter="webhook.test")


def cloud_of(script, id, settings):
    peer = cloud.Cloud(script)
    said = settings(peer)
    peer.zone(id, said["provider"] + ".test")
    return StandIn(peer, lambda: peer.dump(id), api_url=peer.url, **said)


def route53():
    return cloud_of("route53.js", "Z1", lambda peer: dict(
        provider="route53", aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))


def google():
    return cloud_of("google_dns.js", "zone-1", lambda peer: dict(
        provider="google", google_service_account=peer.ask("account")["json"]))


def azure():
    return cloud_of("azure_dns.js", "azure.test", lambda peer: dict(
        provider="azure", azure_subscription_id="sub-1",
        azure_tenant_id="tenant-1", azure_resource_group="group-1",
        azure_client_id="client-1", azure_client_secret="client-secret",
        azure_authority_host=peer.url))


@pytest.fixture(scope="module")
def standins():
    made = [make() for make in (cloudflare, digitalocean, webhook, route53,
                                google, azure)]
    yield made
    for one in made:
        one.peer.stop()


def site(host, echo):
    return manifest.route(host, echo[0])


def state(gateway):
    return json.loads(gateway.admin_get("/api/dns").text)


def there(gateway, standins, name, values):
    for one in standins:
        nginx.wait_until(
            lambda: one.address(name) == values,
            lambda: f"{one.zone} {one.sets()} "
                    f"{json.dumps(state(gateway))[:3000]}", 20, every=0.05)


def quiet(gateway, zones):
    def done():
        used = [z for z in state(gateway)["zones"] if z["state"] == "complete"]
        return len(used) >= zones and all(not z["pending"] for z in used)

    nginx.wait_until(done, lambda: json.dumps(state(gateway))[:3000], 20,
                     every=0.05)


def test_each_provider_gets_a_host_once_and_loses_it(gateway, standins, echo):
    gateway.apply("providers", *(
        records.secret(one.settings["provider"], brake_min="9",
                       **one.settings) for one in standins))
    gateway.apply("stays", *(site(f"stays.{one.zone}", echo)
                             for one in standins))
    gateway.apply("goes", *(site(f"a.{one.zone}", echo) for one in standins))
    there(gateway, standins, "a", [ADDRESS])
    there(gateway, standins, "stays", [ADDRESS])

    quiet(gateway, len(standins))
    before = [one.writes() for one in standins]
    gateway.reload()
    quiet(gateway, len(standins))
    subprocess.run([TORII, "dns", "refresh", "--state", gateway.state],
                   check=True, capture_output=True, timeout=60)
    nginx.wait_until(lambda: "DNS to \"refresh\"" in gateway.log(),
                     gateway.tail, 10)
    quiet(gateway, len(standins))
    assert [one.writes() for one in standins] == before

    gateway.remove_objects("goes")
    there(gateway, standins, "a", None)
    there(gateway, standins, "stays", [ADDRESS])


def test_dynamic_dns_is_told_the_address(gateway, echo):
    peer = provider.Dyndns("a.dyndns.test")
    try:
        gateway.apply("dyndns", records.secret(
            "dyndns", provider="dyndns2", zones="dyndns.test",
            dyndns_url=peer.update, dyndns_user=peer.user,
            dyndns_password=peer.password), site("a.dyndns.test", echo))

        nginx.wait_until(lambda: ADDRESS in json.dumps(peer.hosts()),
                         lambda: f"{peer.hosts()} {peer.log()} "
                                 f"{json.dumps(state(gateway))[:2000]}", 20)
    finally:
        peer.stop()
