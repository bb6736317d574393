-- Per account: what a unit of spend buys and what an order is worth once all is reported, over
-- the 28 days up to $until. Not yet reported purchases are allowed for in the denominator.
SELECT
    account_id,
    CAST(sum(purchases) AS DOUBLE)
        / nullif(sum(CAST(spend AS DOUBLE) * maturity), 0) AS purchases_per_spend,
    CAST(sum(purchase_value) AS DOUBLE) / nullif(CAST(sum(purchases) AS DOUBLE), 0) AS order_value
FROM insights_numbers
WHERE level = 'ad'
  AND date BETWEEN CAST($until AS DATE) - 27 AND CAST($until AS DATE)
GROUP BY account_id
