-- Per account: the purchases of all ads and days under each name that Meta reports them by. They
-- are views of the same sales, which is why one name is counted and they are never added up.
WITH counted AS (
    SELECT account_id, unnest(actions) AS item FROM raw_insights WHERE level = 'ad'
),

valued AS (
    SELECT account_id, unnest(action_values) AS item FROM raw_insights WHERE level = 'ad'
),

by_type AS (
    SELECT
        account_id,
        item.action_type AS action_type,
        sum(amount(item.value)) AS purchases
    FROM counted
    WHERE contains(item.action_type, 'purchase')
    GROUP BY ALL
),

value_by_type AS (
    SELECT
        account_id,
        item.action_type AS action_type,
        sum(amount(item.value)) AS purchase_value
    FROM valued
    WHERE contains(item.action_type, 'purchase')
    GROUP BY ALL
)

SELECT
    account_id,
    action_type,
    action_type IS NOT DISTINCT FROM purchase_type AS counted,
    coalesce(purchases, 0) AS purchases,
    coalesce(purchase_value, 0) AS purchase_value,
    CAST(coalesce(purchases, 0) AS DOUBLE) / nullif(CAST(
        max(purchases) FILTER (action_type = purchase_type) OVER (PARTITION BY account_id)
        AS DOUBLE), 0) AS share_of_counted
FROM by_type
FULL JOIN value_by_type USING (account_id, action_type)
JOIN ad_accounts USING (account_id)
