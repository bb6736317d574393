-- Per account: the purchases of the days, counted by its canonical type and by each other name
-- that a purchase can have. They are views of the same sales, so they should be about equal.
WITH named AS (
    SELECT
        insights.account_id,
        item.action_type,
        CAST(item.value AS DECIMAL(38, 12)) AS purchases
    FROM raw_insights AS insights,
        unnest(from_json(
            insights.actions, '[{"action_type":"VARCHAR","value":"VARCHAR"}]')) AS items(item)
    WHERE insights.level = 'ad'
      AND list_contains($accounts, insights.account_id)
      AND insights.date BETWEEN $since AND $until
      AND list_contains($types, item.action_type)
),

by_type AS (
    SELECT account_id, action_type, sum(purchases) AS purchases
    FROM named
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
