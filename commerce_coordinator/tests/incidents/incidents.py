"""The ten incidents. `seed`: how it comes about. `see`: what shows it. `mend`: as its runbook says. `end`: what is then
true. Nothing is done but from outside: signed webhooks, the operator's file, processes by their pid, other systems.
What stands on the screens is in told.py, where the runbooks have it from as well."""

from collections.abc import Callable
from typing import Any, ClassVar

from commerce_coordinator.plugins.demo_lms.purchase import COURSES, PRICE
from commerce_coordinator.tests.service import Purchase, dispatches, until

from . import site as sites
from .operator import Operator
from .site import CAPTURED, PATIENT, Site
from .told import RUNBOOKS


class Incident:
    """One purchase that something happens to."""

    name: ClassVar[str]
    REPLAYED: ClassVar[str] = "Nothing was done. 1 of 1 would be."
    purchase: Purchase

    def seed(self, site: Site) -> None:
        raise NotImplementedError

    def see(self, operator: Operator) -> None:
        """All screens that the runbook shows, in its order, and what its command would replay."""
        for screen in RUNBOOKS[self.name].seen:
            operator.sees(self.name, screen, self.order)
        if RUNBOOKS[self.name].replay:
            assert self.REPLAYED in operator.tries_out(self.name, self.order)

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

    def waits_until_dead(self, count: int = 1) -> None:
        self.waits_for(count, lambda delivery: delivery["state"] == "dead", what="dead")

    def waits_for(self, count: int, are: Callable[[dict[str, Any]], bool], *, what: str) -> None:
        """Until so many deliveries of the purchase are so."""

        def found() -> bool:
            story = self.purchase.service.trace(self.purchase.event["id"])
            of_it = [each for dispatch in dispatches(story["dispatches"]) for each in dispatch["deliveries"]]
            return sum(map(are, of_it)) == count

        until(found, what=f"{count} {what}; last lines:\n{self.purchase.service.tail()}")


class WrongSecret(Incident):
    """The signing secret was rolled at the provider, and here it is still the former one."""

    name = "wrong-secret"
    ROLLED = "whsec_rolled_last_night"

    def seed(self, site: Site) -> None:
        self.purchase = Purchase(site)
        answer = site.post(self.purchase.event, secret=self.ROLLED)
        assert answer.status_code == 400

    def see(self, operator: Operator) -> None:
        super().see(operator)
        site = operator.site
        refused = site.health()["webhooks_refused_last_hour"]["stripe"]["signature_invalid"]
        assert f"stripe {refused} (signature_invalid)." in operator.first_page()
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
    REPLAYED = "Nothing was done. 3 of 3 would be."

    def seed(self, site: Site) -> None:
        site.fault(status=503, count=10_000, html=True)
        self.buys(site)
        self.waits_until_dead(3)

    def see(self, operator: Operator) -> None:
        assert operator.site.health()["attention"]["dead_deliveries"] == 3
        super().see(operator)
        assert operator.dead_letters(subject=self.order).count("lms.enroll_learner") == 3
        trace = operator.sees(self.name, "trace", self.order)
        assert trace.count("call GET") == 3 * 4, "each of four tries"
        assert "call POST" not in trace, "it looks before it acts, and looking fails already"

    def mend(self, operator: Operator) -> None:
        operator.site.lms_is_back()
        assert "3 were replayed." in operator.replays("The LMS is back.", receiver="lms.enroll_learner", error="Retry")


class UnknownLearner(Incident):
    """The LMS has no learner of the name that the storefront gave."""

    name = "unknown-learner"
    REPLAYED = "Nothing was done. 3 of 3 would be."
    RETRIED = ("trace", "map", "pending-delivery")

    def seed(self, site: Site) -> None:
        site.deploy(processes=["worker"], CC_RETRY_SCHEDULE=PATIENT)
        self.purchase = Purchase(site)
        self.buys(site, username=f"unknown-{self.order.lower()}")
        self.waits_for(3, lambda each: each["state"] == "pending" and len(each["attempts"]) == 3, what="tried thrice")

    def see(self, operator: Operator) -> None:
        """Twice: while it is tried again, for about 28 hours as shipped, it is no dead letter yet."""
        assert operator.dead_letters(subject=self.order) == "No dead letter matches."
        for screen in self.RETRIED:
            operator.sees(self.name, screen, self.order)
        self.waits_until_dead(3)
        for screen in [each for each in RUNBOOKS[self.name].seen if each not in self.RETRIED]:
            operator.sees(self.name, screen, self.order)
        assert self.REPLAYED in operator.tries_out(self.name, self.order)

    def mend(self, operator: Operator) -> None:
        operator.site.lms_mends(user=self.purchase.username)
        operator.replays("He has an account now.", subject=self.order)

    def end(self, site: Site) -> None:
        super().end(site)
        site.deploy(processes=["worker"])


class CourseFull(Incident):
    """One of three courses has no room left."""

    name = "course-full"
    RUN = "course-v1:DemoX+Beekeeping+full"

    def seed(self, site: Site) -> None:
        self.buys(site, courses=[*COURSES[:2], self.RUN])
        self.waits_until_dead(1)

    def see(self, operator: Operator) -> None:
        super().see(operator)
        assert operator.dead_letters(subject=self.order).count("lms.enroll_learner") == 1, "the other two are theirs"
        assert self.RUN in operator.sees(self.name, "trace", self.order)
        assert operator.site.lines_with("Subject:", self.order), "the operator has a mail"

    def mend(self, operator: Operator) -> None:
        operator.site.lms_mends(course=self.RUN)
        assert "due again, as replay 1" in operator.commands_replay(self.name, self.order, "One more seat.")


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
        super().see(operator)
        assert "Received: 447.00 USD; the price is 457.00 USD." in operator.sees(self.name, "delivery", self.order)

    def mend(self, operator: Operator) -> None:
        operator.site.price(self.order, PRICE * 3)
        operator.replays("The price list was wrong.", subject=self.order)


class RouteRemoved(Incident):
    """A change of the operator's file routes captured payments to nobody."""

    name = "route-removed"
    REPLAYED = "The map still routes commerce_coordinator.plugins.stripe.signals.payment_captured to nobody."

    def seed(self, site: Site) -> None:
        self.buys(site)
        super().end(site)  # until then all is well, as the map remembers
        self.receivers = site.operator_file["CC_SIGNALS"][CAPTURED]
        site.route(CAPTURED)
        site.deploy(processes=["web"])
        self.buys(site)

    def see(self, operator: Operator) -> None:
        super().see(operator)
        assert operator.site.health()["attention"]["unrouted_dispatches"] == 1
        # The map itself says it; nothing else than the operator's file can have changed it.
        assert (
            "stripe.payment_captured  (unrouted: what is sent waits for an operator)"
            in operator.site.manage("routes").stdout
        )

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
        until(lambda: operator.site.health()["workers"]["state"] == "ok", what="the new release's worker")
        super().see(operator)
        assert "campus.tell_bookkeeping" in operator.dead_letters(error="UnknownReceiver", subject=self.order)

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
        super().see(operator)

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
        until(lambda: site.health()["workers"]["state"] == "silent", what="the workers, cut off")
        super().see(operator)

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
        super().see(operator)
        assert operator.sees(self.name, "trace", self.order).count("lost") >= 2
        assert operator.site.lines_with("signal 9 (SIGKILL)")
        # The same buyer's courses are there: it delays nobody.
        self.purchase.assert_enrolled_once()

    def mend(self, operator: Operator) -> None:
        operator.site.deploy("glyphs", processes=["worker"])
        operator.replays("Its library knows these names now.", error="LeaseExpired", subject=self.order)


#: In an order in which what one leaves behind on the screens, for an hour or a day, is not on the next one's pictures.
ALL: tuple[type[Incident], ...] = (
    LmsDown,
    UnknownLearner,
    CourseFull,
    PriceMismatch,
    RouteRemoved,
    WorkerDown,
    BrokerDown,
    PoisonDelivery,
    ReceiverRenamed,
    WrongSecret,
)
