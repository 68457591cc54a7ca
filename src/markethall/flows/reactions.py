"""What happens when …? The one table: event → the functions that run, in this order, in the
transaction of the event."""

from __future__ import annotations

from markethall.content.imaging.events import GenerationCompleted, GenerationFailed
from markethall.flows import (
    cart_orders,
    goods_news,
    new_goods,
    order_holds,
    order_news,
    picture_news,
    receipts,
    welcome,
)
from markethall.foundation.accounts.events import UserRegistered
from markethall.kernel.events import Event, Reaction
from markethall.trade.catalog.events import VariantsMade
from markethall.trade.orders.events import (
    GoodsSold,
    OrderArrived,
    OrderMoved,
    OrderPacked,
    OrderPaid,
    OrderPaymentFailed,
    OrderRefunded,
    OrderSoldOut,
    ParcelShipped,
)

TABLE: dict[type[Event], tuple[Reaction, ...]] = {
    UserRegistered: (welcome.give_welcome_credits,),
    OrderMoved: (
        order_holds.let_go,
        cart_orders.give_voucher_back,
        order_news.tell_pages,
        goods_news.mail_cancelled,
    ),
    OrderPaid: (receipts.order_receipt,),
    GoodsSold: (cart_orders.take_out_bought,),
    OrderPaymentFailed: (order_news.mail_payment_failed,),
    OrderRefunded: (order_news.tell_refunded, order_news.mail_refund),
    OrderSoldOut: (order_news.mail_sold_out,),
    VariantsMade: (new_goods.count_variants,),
    OrderPacked: (goods_news.mail_packed,),
    ParcelShipped: (goods_news.mail_shipped,),
    OrderArrived: (goods_news.mail_arrived,),
    GenerationCompleted: (picture_news.mail_ready,),
    GenerationFailed: (picture_news.mail_failed,),
}
