-- Purchases by attribution window, one row per day, object and window. `default` follows the ad
-- set's own setting; the others were asked for by name. Windows overlap: never add them up.
WITH items AS (
    SELECT
        insights.* EXCLUDE (currency),
        coalesce(insights.currency, accounts.currency) AS currency,
        list_filter(actions, lambda item: item.action_type = purchase_type)[1] AS counted,
        list_filter(action_values, lambda item: item.action_type = purchase_type)[1] AS valued
    FROM raw_insights AS insights
    JOIN ad_accounts AS accounts USING (account_id)
),

windows AS (
    SELECT
        *,
        unnest([
            {'name': 'default', 'count': counted.value, 'amount': valued.value},
            {'name': '1d_click', 'count': counted."1d_click", 'amount': valued."1d_click"},
            {'name': '7d_click', 'count': counted."7d_click", 'amount': valued."7d_click"},
            {'name': '28d_click', 'count': counted."28d_click", 'amount': valued."28d_click"},
            {'name': '1d_view', 'count': counted."1d_view", 'amount': valued."1d_view"}
        ]) AS part
    FROM items
)

SELECT
    date,
    account_id,
    level,
    object_id,
    campaign_id,
    adset_id,
    ad_id,
    part.name AS attribution_window,
    currency,
    coalesce(amount(part.count), 0) AS purchases,
    coalesce(amount(part.amount), 0) AS purchase_value,
    attribution_setting,
    observed_at
FROM windows
