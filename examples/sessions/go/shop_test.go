package shop

import (
	"cmp"
	"os"
	"strconv"
	"testing"
)

func client(t *testing.T) *Client {
	return &Client{HTTP: httpClient(t), Key: cmp.Or(os.Getenv("SHOP_KEY"), "unused")}
}

func TestBuy(t *testing.T) {
	t.Parallel()
	for currency, total := range map[string]int{"EUR": 2500, "USD": 2750, "JPY": 4000} {
		t.Run(currency, func(t *testing.T) {
			t.Parallel()
			order, err := client(t).Buy(Order{Item: "loom", Quantity: 2, Currency: currency})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %s", t.Name(), order.ID)
			if order.Total != total {
				t.Errorf("total %d, want %d", order.Total, total)
			}
		})
	}
}

// TestRefund makes the same order as TestBuy/EUR, at the same time.
func TestRefund(t *testing.T) {
	t.Parallel()
	shop := client(t)
	order, err := shop.Buy(Order{Item: "loom", Quantity: 2, Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %s", t.Name(), order.ID)
	for _, want := range []string{"open", "refunded"} {
		if want == "refunded" {
			if _, err := shop.Refund(order.ID); err != nil {
				t.Fatal(err)
			}
		}
		if order, err = shop.Order(order.ID); err != nil || order.Status != want {
			t.Errorf("%s (%v), want %s", order.Status, err, want)
		}
	}
}

// TestQuantity sends what QUANTITY says: change it, and see which test fails.
func TestQuantity(t *testing.T) {
	t.Parallel()
	quantity, err := strconv.Atoi(cmp.Or(os.Getenv("QUANTITY"), "3"))
	if err != nil {
		t.Fatal(err)
	}
	order, err := client(t).Buy(Order{Item: "engine", Quantity: quantity, Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %s", t.Name(), order.ID)
}
