"""Orders of people carried out: the job, and the sensor that starts it."""

from collections import defaultdict
from datetime import UTC, datetime

import dagster as dg

from zyenta_ads_pipeline.connections import stopped
from zyenta_ads_pipeline.resources import StoreResource
from zyenta_ads_pipeline.sensors import ACCOUNT_TAG, SWITCHED_OFF, is_resting
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.orders import Order, Orders, OrderState

ORDER_TAG = "zyenta/orders"
_AT_ONCE = 50


class OrderConfig(dg.Config):
    """One account's orders to begin with, by their ids in the store."""

    account: str
    orders: list[str]


@dg.op(
    # In no pool: a pause must not wait until a launch or another account's orders are through. The
    # sensor keeps an account to one run, and each change is claimed before it is sent.
    description="Does what people asked for: switches campaigns on and off, sets budgets, goes on "
    "with launches, takes changes back. What is asked for meanwhile is done too. An order says "
    "itself how it ended; one that must wait is taken up by a later run.",
)
def carry_out_orders(
    context: dg.OpExecutionContext, config: OrderConfig, store: StoreResource
) -> None:
    from zyenta_ads_pipeline.order_work import carry_out  # noqa: PLC0415 - half a second to import

    owner = f"run {context.run.run_id}"
    done: list[Order] = []
    with store.opened() as opened:
        waiting = list(config.orders)
        for _ in range(_AT_ONCE):
            if not waiting:
                break
            settings = load_settings()
            halted = stopped(settings, opened, config.account)
            if halted is not None:
                context.log.warning(f"{halted} The orders wait.")
                break
            order = carry_out(settings, opened, waiting[0], owner, context.log.info)
            if order is not None:
                context.log.info(f"{order.kind.value}: {order.state.value}. {order.note}")
                done.append(order)
            # Asked again each time: a pause that came meanwhile goes first.
            waiting = [
                each.id
                for each in Orders(opened).waiting(now=datetime.now(UTC))
                if each.account_id == config.account
            ]
    for order in done:
        context.log_event(
            dg.AssetMaterialization(
                "live_on_meta",
                description=f"act_{config.account}",
                metadata={
                    "order": order.kind.value,
                    "asked_by": order.asked_by,
                    "state": order.state.value,
                    "report": dg.MetadataValue.md(order.note),
                    "changes": len(order.change_ids),
                },
            )
        )
    failed = [order for order in done if order.state is OrderState.FAILED]
    if failed:
        context.log.warning(f"{len(failed)} of {len(done)} orders could not be done.")


@dg.job(
    executor_def=dg.in_process_executor,
    # A killed run leaves its orders to the sensor, which knows when their lease is over.
    tags={"dagster/max_retries": "0"},
    description="Carries out what people asked for in the console or by the API, on one account.",
)
def carry_out_order() -> None:
    carry_out_orders()


@dg.sensor(
    job=carry_out_order,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts one run per account for which people asked for something, or whose worker "
    "died over it.",
)
def waiting_orders(
    context: dg.SensorEvaluationContext, store: StoreResource
) -> dg.SensorResult | dg.SkipReason:
    settings = load_settings()
    if settings.kill_switch:
        return dg.SkipReason(SWITCHED_OFF)
    by_account: dict[str, list[Order]] = defaultdict(list)
    why: list[str] = []
    with store.opened() as opened:
        for order in Orders(opened).waiting(now=datetime.now(UTC)):
            by_account[order.account_id].append(order)
        for account in list(by_account):
            halted = stopped(settings, opened, account)
            if halted is not None:
                why.append(halted)
                del by_account[account]
    ready = {}
    for account, orders in by_account.items():
        touched = max(order.updated_at for order in orders)
        if is_resting(context.instance, carry_out_order.name, {ACCOUNT_TAG: account}, touched):
            why.append(f"A run for act_{account} is going on, or has just failed.")
        else:
            ready[account] = orders
    if not ready:
        return dg.SkipReason(" ".join(why) or "Nobody asked for anything.")
    # No run keys: an order is claimed by one run.
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_config=dg.RunConfig(
                    ops={
                        "carry_out_orders": OrderConfig(
                            account=account, orders=[order.id for order in orders[:_AT_ONCE]]
                        )
                    }
                ),
                tags={
                    ACCOUNT_TAG: account,
                    ORDER_TAG: ",".join(order.kind.value for order in orders[:_AT_ONCE])[:200],
                    "dagster/max_runtime": "840",  # less than the lease of an order
                    "dagster/priority": "10",  # a person looks on
                },
            )
            for account, orders in ready.items()
        ]
    )
