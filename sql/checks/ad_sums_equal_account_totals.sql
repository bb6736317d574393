-- Complete account days on which the ads do not add up to Meta's own total for the account.
-- A day that was still running when it was read is left out, since its numbers grow between the
-- call for one level and the next. Impressions and clicks are exact. Meta rounds every row's
-- spend, so each ad row may add half a minor unit of difference. Purchases may not be fewer than
-- the total's; more may be, since Meta at times leaves purchases out of the account's own row.
-- `campaigns` and `adsets` are those whose own rows exceed their ads, where Meta's rows tell.
WITH numbers AS (
    SELECT insights_numbers.*, minor_unit(accounts.currency) AS minor_unit
    FROM insights_numbers
    JOIN ad_accounts AS accounts USING (account_id)
    WHERE list_contains($accounts, account_id)
      AND ($since IS NULL OR date BETWEEN $since AND $until)
      AND age_days > 0
),

days AS (
    SELECT
        date,
        account_id,
        minor_unit,
        count(*) FILTER (level = 'ad') AS ads,
        coalesce(sum(impressions) FILTER (level = 'ad'), 0) AS ad_impressions,
        coalesce(sum(impressions) FILTER (level = 'account'), 0) AS account_impressions,
        coalesce(sum(clicks) FILTER (level = 'ad'), 0) AS ad_clicks,
        coalesce(sum(clicks) FILTER (level = 'account'), 0) AS account_clicks,
        coalesce(sum(spend) FILTER (level = 'ad'), 0) AS ad_spend,
        coalesce(sum(spend) FILTER (level = 'account'), 0) AS account_spend,
        coalesce(sum(purchases) FILTER (level = 'ad'), 0) AS ad_purchases,
        coalesce(sum(purchases) FILTER (level = 'account'), 0) AS account_purchases
    FROM numbers
    WHERE level IN ('ad', 'account')
    GROUP BY ALL
),

failing AS (
    SELECT *
    FROM days
    WHERE ad_impressions <> account_impressions
       OR ad_clicks <> account_clicks
       OR abs(ad_spend - account_spend) > minor_unit / 2 * greatest(ads, 1)
       OR ad_purchases < account_purchases
),

parents AS (
    SELECT date, account_id, level, object_id, impressions, clicks, spend, minor_unit
    FROM numbers
    WHERE level IN ('campaign', 'adset')
),

children AS (
    SELECT
        date,
        account_id,
        unnest([{'level': 'campaign', 'id': campaign_id}, {'level': 'adset', 'id': adset_id}])
            AS parent,
        impressions,
        clicks,
        spend
    FROM numbers
    WHERE level = 'ad'
),

ahead AS (
    SELECT parents.date, parents.account_id, parents.level, parents.object_id
    FROM parents
    LEFT JOIN children
        ON children.date = parents.date
        AND children.account_id = parents.account_id
        AND children.parent.level = parents.level
        AND children.parent.id = parents.object_id
    GROUP BY ALL
    HAVING any_value(parents.impressions) > coalesce(sum(children.impressions), 0)
        OR any_value(parents.clicks) > coalesce(sum(children.clicks), 0)
        OR any_value(parents.spend) - coalesce(sum(children.spend), 0)
            > any_value(parents.minor_unit) / 2 * greatest(count(children.spend), 1)
)

SELECT
    failing.*,
    string_agg(object_id, ', ' ORDER BY object_id) FILTER (level = 'campaign') AS campaigns,
    string_agg(object_id, ', ' ORDER BY object_id) FILTER (level = 'adset') AS adsets
FROM failing
LEFT JOIN ahead USING (date, account_id)
GROUP BY ALL
ORDER BY date, account_id
