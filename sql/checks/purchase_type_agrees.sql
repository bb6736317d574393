-- Per account: the purchases of the days, counted by its canonical type and by each other name
-- that a purchase can have. They are views of the same sales, so they should be about equal.
WITH items AS (
    SELECT account_id, unnest(actions) AS item
    FROM raw_insights
    WHERE level = 'ad'
      AND list_contains($accounts, account_id)
      AND date BETWEEN $since AND $until
),

by_type AS (
    SELECT
        account_id,
        item.action_type AS action_type,
        sum(amount(item.value)) AS purchases
    FROM items
    WHERE list_contains($types, item.action_type)
    GROUP BY ALL
)

SELECT
    account_id,
    purchase_type,
    coalesce(max(purchases) FILTER (action_type = purchase_type)
        OVER (PARTITION BY account_id), 0) AS counted,
    action_type AS other_type,
    purchases AS by_other_type
FROM by_type
JOIN ad_accounts USING (account_id)
ORDER BY by_other_type DESC
