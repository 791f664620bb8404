"""A purchase through real processes, in both sizes."""

from concurrent.futures import ThreadPoolExecutor

from .service import Purchase, RunningService, until


def test_purchase_ends_as_three_enrolments_and_one_mail(service: RunningService) -> None:
    purchase = Purchase(service)
    assert purchase.post().status_code == 200
    purchase.assert_in_effect_once()
    assert until(purchase.mails, what="a mail") == 1


def test_event_posted_fifty_times_at_once_takes_effect_once(service: RunningService) -> None:
    purchase = Purchase(service)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: purchase.post(), range(50)))
    assert [answer.status_code for answer in answers] == [200] * 50
    statuses = [answer.json()["status"] for answer in answers]
    assert (statuses.count("sent"), statuses.count("duplicate")) == (1, 49)
    purchase.assert_in_effect_once()
    assert until(purchase.mails, what="a mail") == 1


def test_service_stops_cleanly_when_asked(service: RunningService) -> None:
    # The module's last test: nothing runs afterwards.
    for process in service.instance.processes.values():
        process.terminate()
    codes = {name: process.wait(20) and process.exit_code for name, process in service.instance.processes.items()}
    assert codes == {"web": 0, "worker": 0, "relay": 0}, service.tail()
    assert not service.lines_with("Traceback"), service.tail(200)
