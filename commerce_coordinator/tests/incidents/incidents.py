"""The ten incidents. `seed`: how it comes about. `see`: what shows it. `mend`: as its runbook says. `end`: what is then
true. Nothing is done but from outside: signed webhooks, the operator's file, processes by their pid, other systems."""

from typing import Any, ClassVar

from commerce_coordinator.plugins.demo_lms.purchase import COURSES, PRICE
from commerce_coordinator.tests.service import Purchase, dispatches, until

from . import site as sites
from .operator import Operator
from .site import CAPTURED, Site


class Incident:
    """One purchase that something happens to."""

    name: ClassVar[str]
    purchase: Purchase

    def seed(self, site: Site) -> None:
        raise NotImplementedError

    def see(self, operator: Operator) -> None:
        raise NotImplementedError

    def mend(self, operator: Operator) -> None:
        raise NotImplementedError

    def end(self, site: Site) -> None:
        """The purchase took effect, once, and nothing of it waits for anybody."""
        story = self.purchase.wait_until_settled()
        assert story["succeeded"], story
        self.purchase.assert_enrolled_once()

    @property
    def order(self) -> str:
        return self.purchase.order_number

    def buys(self, site: Site, **how: Any) -> None:
        self.purchase = Purchase(site, **how)
        answer = self.purchase.post()
        assert answer.status_code == 200, answer.text

    def waits_until_dead(self, count: int = 1) -> list[dict[str, Any]]:
        """The dead deliveries of the purchase."""

        def dead() -> list[dict[str, Any]] | None:
            story = self.purchase.service.trace(self.purchase.event["id"])
            of_it = [each for dispatch in dispatches(story["dispatches"]) for each in dispatch["deliveries"]]
            found = [each for each in of_it if each["state"] == "dead"]
            return found if len(found) == count else None

        found: list[dict[str, Any]] = until(dead, what=f"{count} dead; last lines:\n{self.purchase.service.tail()}")
        return found


class WrongSecret(Incident):
    """The signing secret was rolled at the provider, and here it is still the former one."""

    name = "wrong-secret"
    ROLLED = "whsec_rolled_last_night"

    def seed(self, site: Site) -> None:
        self.purchase = Purchase(site)
        answer = site.post(self.purchase.event, secret=self.ROLLED)
        assert answer.status_code == 400

    def see(self, operator: Operator) -> None:
        site = operator.site
        refused = site.health()["webhooks_refused_last_hour"]["stripe"]["signature_invalid"]
        assert refused >= 1
        told = operator.first_page()
        assert f"Webhooks refused in the last hour: stripe {refused} (signature_invalid)." in told
        assert "signature_invalid" in operator.reads("inbox/webhookrefusal/")
        # Nothing of it was kept: nobody knows who sent it.
        assert "0 events" in operator.reads("inbox/inboxevent/", q=self.purchase.event["id"])
        assert site.lines_with("Webhook refused.", "signature_invalid")

    def mend(self, operator: Operator) -> None:
        site = operator.site
        site.operator_file["CC_STRIPE_SECRETS"] = {"": [sites.SECRET, self.ROLLED]}
        site.deploy(processes=["web"])
        # The provider sends again by itself.
        assert site.post(self.purchase.event, secret=self.ROLLED).status_code == 200


class LmsDown(Incident):
    """The LMS answers each enrolment with 503, for longer than the schedule of attempts lasts."""

    name = "lms-down"

    def seed(self, site: Site) -> None:
        site.fault(status=503, count=10_000, html=True)
        self.buys(site)
        self.waits_until_dead(3)

    def see(self, operator: Operator) -> None:
        assert operator.site.health()["attention"]["dead_deliveries"] >= 3
        told = operator.dead_letters(subject=self.order)
        assert told.count("lms.enroll_learner") == 3
        assert told.count("Retry") == 3
        trace = operator.traces(self.order)
        assert trace.count("503") >= 3 * 4, "each of four attempts"
        assert "POST" not in trace, "it looks before it acts, and looking fails already"

    def mend(self, operator: Operator) -> None:
        operator.site.lms_is_back()
        told = operator.replays("The LMS is back.", receiver="lms.enroll_learner", error="Retry")
        assert "3" in told


class UnknownLearner(Incident):
    """The LMS has no learner of the name that the storefront gave."""

    name = "unknown-learner"

    def seed(self, site: Site) -> None:
        self.purchase = Purchase(site)
        username = f"unknown-{self.purchase.order_number.lower()}"
        self.buys(site, username=username)
        self.waits_until_dead(3)

    def see(self, operator: Operator) -> None:
        assert operator.dead_letters(subject=self.order).count("lms.enroll_learner") == 3
        told = operator.page_of_first()
        assert "The LMS does not know this learner yet (406)." in told
        assert "406" in operator.traces(self.order)

    def mend(self, operator: Operator) -> None:
        operator.site.lms_mends(user=self.purchase.username)
        operator.replays("He has an account now.", subject=self.order)


class CourseFull(Incident):
    """One of three courses has no room left."""

    name = "course-full"
    RUN = "course-v1:DemoX+Beekeeping+full"

    def seed(self, site: Site) -> None:
        self.buys(site, courses=[*COURSES[:2], self.RUN])
        self.waits_until_dead(1)

    def see(self, operator: Operator) -> None:
        told = operator.dead_letters(subject=self.order)
        assert told.count("lms.enroll_learner") == 1
        assert "GiveUp" in told
        assert f"The course run [{self.RUN}] is full" in operator.page_of_first()
        trace = operator.traces(self.order)
        assert f"{self.RUN}" in trace
        assert trace.count("POST /demo_lms/api/enrollment/v1/enrollment   200") == 2, "the other two are theirs"
        assert operator.site.lines_with("Subject:", self.order), "the operator has a mail"

    def mend(self, operator: Operator) -> None:
        [dead] = self.waits_until_dead(1)
        operator.site.lms_mends(course=self.RUN)
        operator.commands_replay(dead["id"], "--why", "One more seat.")


class PriceMismatch(Incident):
    """The payment is not what the order costs, as the system of record has it."""

    name = "price-mismatch"
    WRONG = PRICE * 3 + 1000

    def seed(self, site: Site) -> None:
        self.purchase = Purchase(site)
        site.price(self.order, self.WRONG)
        assert self.purchase.post().status_code == 200
        self.waits_until_dead(1)

    def see(self, operator: Operator) -> None:
        told = operator.dead_letters(subject=self.order)
        assert "fulfillment.place_order" in told
        assert "GiveUp" in told
        page = operator.page_of_first()
        assert "The order is held. The amount received is not the price." in page
        assert "447.00 USD; the price is 457.00 USD." in page
        assert "The amount received is not the price." in operator.reads("fulfillment/payment/", q=self.order)

    def mend(self, operator: Operator) -> None:
        operator.site.price(self.order, PRICE * 3)
        operator.replays("The price list was wrong.", subject=self.order)


class RouteRemoved(Incident):
    """A change of the operator's file routes captured payments to nobody."""

    name = "route-removed"

    def seed(self, site: Site) -> None:
        self.receivers = site.operator_file["CC_SIGNALS"][CAPTURED]
        site.route(CAPTURED)
        site.deploy(processes=["web"])
        self.buys(site)

    def see(self, operator: Operator) -> None:
        assert operator.site.health()["attention"]["unrouted_dispatches"] >= 1
        assert "Unrouted dispatches" in operator.first_page()
        told = operator.dead_letters(subject=self.order)
        assert "stripe.payment_captured" in told
        assert "routed it to nobody" in told
        # The map itself says it; nothing else than the operator's file can have changed it.
        assert "stripe.payment_captured" in operator.site.manage("routes").stdout

    def mend(self, operator: Operator) -> None:
        operator.site.route(CAPTURED, *self.receivers)
        operator.site.deploy(processes=["web"])
        operator.replays("The route is back.", subject=self.order)


class ReceiverRenamed(Incident):
    """A release gives a receiver another name and no alias, while deliveries for its former name wait."""

    name = "receiver-renamed"

    def seed(self, site: Site) -> None:
        for name in ("worker", "relay"):
            site[name].stop()
        self.buys(site)
        receivers = site.operator_file["CC_SIGNALS"][CAPTURED]
        renamed = [sites.BOOK_PAYMENT if each == sites.TELL_BOOKKEEPING else each for each in receivers]
        site.route(CAPTURED, *renamed)
        site.deploy("renamed")
        self.waits_until_dead(1)

    def see(self, operator: Operator) -> None:
        told = operator.dead_letters(error="UnknownReceiver", subject=self.order)
        assert "campus.tell_bookkeeping" in told
        assert "UnknownReceiver" in told
        assert "renamed without an alias" in operator.page_of_first()

    def mend(self, operator: Operator) -> None:
        operator.site.deploy("alias")
        operator.replays("It has its former name as an alias now.", error="UnknownReceiver")


class WorkerDown(Incident):
    """No worker runs."""

    name = "worker-not-running"

    def seed(self, site: Site) -> None:
        site["worker"].stop()
        self.buys(site)

    def see(self, operator: Operator) -> None:
        site = operator.site
        until(lambda: site.health()["workers"]["state"] == "silent", what="the workers' silence")
        assert site.health()["relay"]["state"] == "ok"
        told = operator.first_page()
        assert "A worker is silent" in told
        assert "The broker answers." in told
        assert "pending" in operator.traces(self.order)

    def mend(self, operator: Operator) -> None:
        operator.site.deploy(processes=["worker"])

    def end(self, site: Site) -> None:
        super().end(site)
        until(lambda: site.health()["workers"]["state"] == "ok", what="a worker that lives")


class BrokerDown(Incident):
    """Redis is gone. Events are taken all the same."""

    name = "broker-down"

    def seed(self, site: Site) -> None:
        site.broker.stop()
        self.buys(site)

    def see(self, operator: Operator) -> None:
        site = operator.site
        assert site.health()["broker"] == "away"
        until(lambda: site.health()["oldest_due_seconds"] > 0, what="something overdue")
        told = operator.first_page()
        assert "The broker is away: what is due waits, and nothing is lost." in told
        assert "pending" in operator.traces(self.order)

    def mend(self, operator: Operator) -> None:
        operator.site.broker.start()

    def end(self, site: Site) -> None:
        super().end(site)
        assert site.health()["broker"] == "ok"


class PoisonDelivery(Incident):
    """A delivery kills the process that runs it, each time."""

    name = "poison-delivery"

    def seed(self, site: Site) -> None:
        self.purchase = Purchase(site)
        self.buys(site, username=f"glyph-{self.purchase.order_number.lower()}")
        self.waits_until_dead(1)

    def see(self, operator: Operator) -> None:
        told = operator.dead_letters(error="LeaseExpired", subject=self.order)
        assert "campus.print_badge" in told
        assert "the process that ran it died" in operator.page_of_first()
        assert operator.traces(self.order).count("lost") >= 2
        assert operator.site.lines_with("signal 9 (SIGKILL)")
        # The same buyer's courses are there: it delays nobody.
        self.purchase.assert_enrolled_once()

    def mend(self, operator: Operator) -> None:
        operator.site.deploy("glyphs", processes=["worker"])
        operator.replays("Its library knows these names now.", error="LeaseExpired", subject=self.order)


ALL: tuple[type[Incident], ...] = (
    WrongSecret,
    LmsDown,
    UnknownLearner,
    CourseFull,
    PriceMismatch,
    RouteRemoved,
    ReceiverRenamed,
    WorkerDown,
    BrokerDown,
    PoisonDelivery,
)
