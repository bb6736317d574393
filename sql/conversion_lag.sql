-- Per account, day since $since and age at which the day was read: the purchases and their value
-- as the last reading at that age knew them; ages are account days after the day. An age at which
-- nobody looked has no row, and neither has the one that is still running.
WITH versions AS (
    SELECT date, account_id, object_id, actions, action_values, observed_at,
        CAST(NULL AS TIMESTAMPTZ) AS gone_at, 1 AS newness
    FROM raw_insights
    WHERE level = 'ad' AND date >= $since
    UNION ALL
    SELECT date, account_id, object_id, actions, action_values, observed_at,
        CASE WHEN removed THEN replaced_at END, 0
    FROM insight_restatements
    WHERE level = 'ad' AND date >= $since
),

counted AS (
    SELECT
        date,
        account_id,
        timezone,
        object_id,
        counted(actions, purchase_type) AS purchases,
        counted(action_values, purchase_type) AS purchase_value,
        versions.observed_at,
        gone_at,
        newness
    FROM versions
    JOIN ad_accounts USING (account_id)
),

-- A run that died between two commits leaves a version in both tables.
once AS (
    SELECT *
    FROM counted
    QUALIFY row_number() OVER (
        PARTITION BY account_id, date, object_id, observed_at ORDER BY newness DESC
    ) = 1
),

lasting AS (
    SELECT
        date,
        account_id,
        purchases,
        purchase_value,
        age_of(date, observed_at, timezone) AS from_age,
        -- greatest() passes over a null, and the present version has no end.
        CASE WHEN ended_at IS NOT NULL THEN age_of(date, ended_at, timezone) END AS until_age
    FROM (
        SELECT *, coalesce(gone_at, lead(observed_at) OVER (
            PARTITION BY account_id, date, object_id ORDER BY observed_at
        )) AS ended_at
        FROM once
    )
),

moves AS (
    SELECT account_id, date, from_age AS age_days, purchases, purchase_value FROM lasting
    UNION ALL
    SELECT account_id, date, until_age, -purchases, -purchase_value
    FROM lasting
    WHERE until_age IS NOT NULL
),

-- Who changed or confirmed a row has read the day.
readings AS (
    SELECT account_id, date, from_age AS age_days FROM lasting
    UNION
    SELECT account_id, date, until_age FROM lasting WHERE until_age IS NOT NULL
    UNION
    SELECT account_id, date, age_days FROM insight_readings WHERE date >= $since
    UNION
    SELECT account_id, date, age_days
    FROM insight_reads
    WHERE stream = 'insights' AND date >= $since
),

heard AS (
    SELECT account_id, timezone, max(greatest(accounts.observed_at, read_at)) AS last_at
    FROM ad_accounts AS accounts
    LEFT JOIN insight_reads AS reads USING (account_id)
    GROUP BY ALL
),

by_age AS (
    SELECT
        account_id,
        date,
        age_days,
        sum(purchases) AS purchases,
        sum(purchase_value) AS purchase_value
    FROM moves
    GROUP BY ALL
),

-- Every move has a reading of its age.
known AS (
    SELECT
        account_id,
        date,
        age_days,
        sum(coalesce(purchases, 0)) OVER so_far AS purchases,
        sum(coalesce(purchase_value, 0)) OVER so_far AS purchase_value
    FROM readings
    LEFT JOIN by_age USING (account_id, date, age_days)
    WINDOW so_far AS (PARTITION BY account_id, date ORDER BY age_days)
)

SELECT
    account_id,
    date,
    age_days,
    CAST(purchases AS DECIMAL(38, 12)) AS purchases,
    CAST(purchase_value AS DECIMAL(38, 12)) AS purchase_value
FROM known
JOIN heard USING (account_id)
SEMI JOIN moves USING (account_id, date)
WHERE age_days = 28 OR age_days < age_of(date, last_at, timezone)
ORDER BY account_id, date, age_days
