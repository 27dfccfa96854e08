// A checkout with Stripe, by its SDK for Go. Nothing in it knows of a proxy.
//
//	go build -o /tmp/stripe-flow . && tapedeck exec -- /tmp/stripe-flow
//
// Needs STRIPE_API_KEY; AMOUNT is in cents.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"

	"github.com/stripe/stripe-go/v82"
)

func main() {
	if err := checkout(context.Background(), os.Getenv("STRIPE_API_KEY")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func checkout(ctx context.Context, key string) error {
	amount := int64(2000)
	if text, ok := os.LookupEnv("AMOUNT"); ok {
		var err error
		if amount, err = strconv.ParseInt(text, 10, 64); err != nil {
			return fmt.Errorf("AMOUNT: %w", err)
		}
	}
	client := stripe.NewClient(key)

	customer, err := client.V1Customers.Create(ctx, &stripe.CustomerCreateParams{
		Name:     stripe.String("Ada Lovelace"),
		Email:    stripe.String("ada@example.com"),
		Metadata: map[string]string{"team": "engines & looms", "order": "6735"},
	})
	if err != nil {
		return err
	}
	show("customer", customer.LastResponse)

	customerSession, err := client.V1CustomerSessions.Create(ctx, &stripe.CustomerSessionCreateParams{
		Customer: stripe.String(customer.ID),
		Components: &stripe.CustomerSessionCreateComponentsParams{
			BuyButton:    &stripe.CustomerSessionCreateComponentsBuyButtonParams{Enabled: stripe.Bool(true)},
			PricingTable: &stripe.CustomerSessionCreateComponentsPricingTableParams{Enabled: stripe.Bool(false)},
			PaymentElement: &stripe.CustomerSessionCreateComponentsPaymentElementParams{
				Enabled: stripe.Bool(true),
				Features: &stripe.CustomerSessionCreateComponentsPaymentElementFeaturesParams{
					PaymentMethodRedisplay:             stripe.String("enabled"),
					PaymentMethodAllowRedisplayFilters: stripe.StringSlice([]string{"always", "limited"}),
				},
			},
		},
	})
	if err != nil {
		return err
	}
	show("customer-session", customerSession.LastResponse)

	session, err := client.V1CheckoutSessions.Create(ctx, &stripe.CheckoutSessionCreateParams{
		Mode:       stripe.String(stripe.CheckoutSessionModePayment),
		Customer:   stripe.String(customer.ID),
		SuccessURL: stripe.String("https://shop.example.com/thanks"),
		LineItems: []*stripe.CheckoutSessionCreateLineItemParams{
			{
				PriceData: &stripe.CheckoutSessionCreateLineItemPriceDataParams{
					Currency:   stripe.String(stripe.CurrencyEUR),
					UnitAmount: stripe.Int64(2500),
					ProductData: &stripe.CheckoutSessionCreateLineItemPriceDataProductDataParams{
						Name: stripe.String(`T-shirt, "blue" 100%`),
					},
				},
				Quantity: stripe.Int64(2),
			},
			{Price: stripe.String("price_1PgafmB7WZ01zgkW02Hf9z6c"), Quantity: stripe.Int64(1)},
		},
		Metadata: map[string]string{"campaign": "spring", "order": "6735"},
	})
	if err != nil {
		return err
	}
	show("checkout", session.LastResponse)

	// All items again, in the order they are to have; an empty value unsets a
	// key. This version of the SDK has no field for the items of an update.
	update := &stripe.CheckoutSessionUpdateParams{Metadata: map[string]string{"campaign": ""}}
	for i, item := range []struct{ id, quantity string }{
		{"li_1PgafmB7WZ01zgkWsecond1", "1"},
		{"li_1PgafmB7WZ01zgkWfirst22", "3"},
	} {
		update.AddExtra(fmt.Sprintf("line_items[%d][id]", i), item.id)
		update.AddExtra(fmt.Sprintf("line_items[%d][quantity]", i), item.quantity)
	}
	update.AddExpand("line_items")
	if session, err = client.V1CheckoutSessions.Update(ctx, session.ID, update); err != nil {
		return err
	}
	show("checkout-update", session.LastResponse)

	retrieve := &stripe.CheckoutSessionRetrieveParams{}
	retrieve.AddExpand("customer")
	retrieve.AddExpand("line_items")
	if session, err = client.V1CheckoutSessions.Retrieve(ctx, session.ID, retrieve); err != nil {
		return err
	}
	show("checkout-again", session.LastResponse)

	list := &stripe.CustomerListParams{}
	list.Limit = stripe.Int64(3)
	list.AddExpand("data.default_source")
	fmt.Println("== customers")
	for found, err := range client.V1Customers.List(ctx, list) {
		if err != nil {
			return err
		}
		text, err := json.Marshal(found)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", text)
	}

	payment, err := client.V1PaymentIntents.Create(ctx, &stripe.PaymentIntentCreateParams{
		Amount:   stripe.Int64(amount),
		Currency: stripe.String(stripe.CurrencyEUR),
		Customer: stripe.String(customer.ID),
		AutomaticPaymentMethods: &stripe.PaymentIntentCreateAutomaticPaymentMethodsParams{
			Enabled: stripe.Bool(true),
		},
	})
	if err != nil {
		return err
	}
	show("payment", payment.LastResponse)

	// The secret of one answer goes into the next request.
	payment, err = client.V1PaymentIntents.Retrieve(ctx, payment.ID, &stripe.PaymentIntentRetrieveParams{
		ClientSecret: stripe.String(payment.ClientSecret),
	})
	if err != nil {
		return err
	}
	show("payment-again", payment.LastResponse)
	return nil
}

var clientSecret = regexp.MustCompile(`("client_secret": *)"[^"]+"`)

func show(name string, answer *stripe.APIResponse) {
	fmt.Printf("== %s %d %s\n", name, answer.StatusCode, answer.RequestID)
	fmt.Printf("%s\n", clientSecret.ReplaceAll(answer.RawJSON, []byte(`$1"(hidden)"`)))
}
